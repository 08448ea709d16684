defmodule Shop.Router do
  @moduledoc """
  Decides what a request is answered with. It touches no socket: `Shop.Connection` writes.
  """

  alias Shop.{Catalog, Fault, PortPrograms, Request}

  @minute 60_000

  @typedoc """
  A whole response, a stream of so many chunks so many milliseconds apart, a WebSocket, or a
  response after which the node halts with a status.
  """
  @type answer ::
          {:reply, status :: 100..599, type :: String.t(), body :: iodata}
          | {:stream, chunks :: non_neg_integer, ms :: non_neg_integer}
          | {:websocket, key :: String.t()}
          | {:halt, status :: non_neg_integer}

  @doc "Answers a request whose body has been read."
  @spec answer(%Request{}, binary) :: answer
  def answer(%Request{method: "HEAD"} = request, body) do
    answer(%{request | method: "GET"}, body)
  end

  def answer(%Request{method: "POST", path: "/echo"} = request, body) do
    {:reply, 200, Map.get(request.headers, "content-type", "application/octet-stream"), body}
  end

  def answer(%Request{path: "/echo"}, _body), do: text(405, "POST a body to /echo.")

  def answer(%Request{path: "/"}, _body) do
    slot = if slot = Shop.slot(), do: ["\"", slot, "\""], else: "null"
    version = ["\"", Shop.version(), "\""]
    json = ["{\"app\":\"shop\",\"version\":", version, ",\"slot\":", slot, "}\n"]
    {:reply, max(Fault.home_status(), Catalog.home_status()), "application/json", json}
  end

  def answer(%Request{path: "/health"}, _body) do
    case max(Fault.health_status(), Catalog.health_status()) do
      200 -> text(200, "ok")
      status -> text(status, "not healthy")
    end
  end

  def answer(%Request{path: "/slow"} = request, _body) do
    ms = Request.number(request, "ms", 300, @minute)
    Process.sleep(ms)
    text(200, "slept #{ms} ms")
  end

  def answer(%Request{path: "/stream"} = request, _body) do
    {:stream, Request.number(request, "chunks", 10, 100_000),
     Request.number(request, "ms", 50, @minute)}
  end

  def answer(%Request{path: "/ws"} = request, _body) do
    key = request.headers["sec-websocket-key"]

    if key && Request.has_word?(request, "upgrade", "websocket") &&
         request.headers["sec-websocket-version"] == "13" do
      {:websocket, key}
    else
      text(426, "Connect to /ws with a WebSocket, version 13.")
    end
  end

  def answer(%Request{path: "/boom"}, _body), do: text(500, "boom")

  def answer(%Request{path: "/exit"} = request, _body) do
    {:halt, Request.number(request, "status", 1, 255)}
  end

  def answer(%Request{path: "/log"} = request, _body) do
    lines = Request.number(request, "lines", 1, 1_000_000)

    for numbers <- Enum.chunk_every(Enum.take(1..1_000_000, lines), 1000) do
      IO.write(Enum.map(numbers, &"log line #{&1} of #{lines}\n"))
    end

    text(200, "wrote #{lines} lines")
  end

  def answer(%Request{path: "/port_program"} = request, _body) do
    seconds = Request.number(request, "seconds", 600, 86_400)
    text(200, Integer.to_string(PortPrograms.sleep(seconds)))
  end

  def answer(_request, _body), do: text(404, "There is nothing here.")

  defp text(status, text), do: {:reply, status, "text/plain", [text, "\n"]}
end
