defmodule Shop.Connection do
  @moduledoc """
  One client connection: reads requests off the socket in order and writes the answers.

  The socket is in `active: :once`, so that waiting for a request is also waiting for `:drain`,
  by which `Shop.Listener` closes connections that are idle. One that is in the middle of a
  request finishes it first and says `connection: close` in its answer.
  """

  alias Shop.{Listener, Request, Response, Router, WebSocket}

  # Longer than a proxy keeps an idle connection (Caddy: 2 minutes): the proxy closes first, and
  # never sends a request into a connection that is closing here.
  @idle_limit 150_000
  @body_wait 30_000
  @body_limit 8 * 1024 * 1024

  @doc "The body of a connection's process; the acceptor sends it the socket."
  def start do
    receive do
      {:socket, socket} -> next(socket, "")
      :gone -> :ok
    end
  end

  defp next(socket, buffer) do
    case Request.parse(buffer) do
      {:ok, request, rest} -> serve(socket, request, rest)
      {:error, status} -> refuse(socket, status)
      :more -> await(socket, buffer)
    end
  end

  defp await(socket, buffer) do
    :inet.setopts(socket, active: :once)

    receive do
      {:tcp, ^socket, data} ->
        next(socket, buffer <> data)

      {:tcp_closed, ^socket} ->
        :ok

      {:tcp_error, ^socket, _reason} ->
        :gen_tcp.close(socket)

      # Half of a head has arrived: that request is in flight, its answer will close.
      :drain when buffer != "" ->
        await(socket, buffer)

      :drain ->
        close_idle(socket)
    after
      @idle_limit -> :gen_tcp.close(socket)
    end
  end

  # A request may have arrived between the listener's word and our reading it.
  defp close_idle(socket) do
    receive do
      {:tcp, ^socket, data} -> next(socket, data)
    after
      0 -> :gen_tcp.close(socket)
    end
  end

  defp serve(socket, %{content_length: length}, _rest) when length > @body_limit do
    refuse(socket, 413)
  end

  defp serve(socket, request, rest) do
    case read_body(socket, request, rest) do
      {:ok, body, rest} -> write(socket, request, Router.answer(request, body), rest)
      {:error, :timeout} -> refuse(socket, 408)
      {:error, _} -> :gen_tcp.close(socket)
    end
  end

  defp read_body(socket, %{content_length: length} = request, rest) do
    missing = length - byte_size(rest)

    if missing > 0 and Request.has_word?(request, "expect", "100-continue") do
      :gen_tcp.send(socket, "HTTP/1.1 100 Continue\r\n\r\n")
    end

    with {:ok, received} <- receive_all(socket, [rest], missing) do
      <<body::binary-size(length), rest::binary>> = IO.iodata_to_binary(received)
      {:ok, body, rest}
    end
  end

  defp receive_all(_socket, received, missing) when missing <= 0, do: {:ok, received}

  defp receive_all(socket, received, missing) do
    :inet.setopts(socket, active: :once)

    receive do
      {:tcp, ^socket, data} -> receive_all(socket, [received, data], missing - byte_size(data))
      {:tcp_closed, ^socket} -> {:error, :closed}
      {:tcp_error, ^socket, reason} -> {:error, reason}
    after
      @body_wait -> {:error, :timeout}
    end
  end

  defp write(socket, request, {:reply, status, type, body}, rest) do
    close? = last?(request)
    options = [close: close?, head_only: request.method == "HEAD"]
    sent = Response.send_whole(socket, status, [{"content-type", type}], body, options)
    continue(socket, sent, close?, rest)
  end

  defp write(socket, request, {:stream, chunks, ms}, rest) do
    # HTTP/1.0 knows no chunks: there the end of the connection ends the body.
    chunked? = request.minor > 0
    close? = last?(request) or not chunked?
    encoding = if chunked?, do: [{"transfer-encoding", "chunked"}], else: []
    headers = [{"content-type", "text/plain"} | encoding]
    sent = Response.send_head(socket, 200, headers, close: close?)

    sent =
      if request.method == "HEAD" or sent != :ok,
        do: sent,
        else: stream(socket, 1, chunks, ms, chunked?)

    continue(socket, sent, close?, rest)
  end

  defp write(socket, _request, {:websocket, key}, rest) do
    headers = [
      {"upgrade", "websocket"},
      {"connection", "Upgrade"},
      {"sec-websocket-accept", WebSocket.accept(key)}
    ]

    case Response.send_head(socket, 101, headers, []) do
      :ok -> WebSocket.serve(socket, rest)
      {:error, _} -> :gen_tcp.close(socket)
    end
  end

  defp write(socket, request, {:halt, status}, _rest) do
    body = "halting with status #{status}\n"
    options = [close: true, head_only: request.method == "HEAD"]
    Response.send_whole(socket, 200, [{"content-type", "text/plain"}], body, options)
    :gen_tcp.shutdown(socket, :write)
    System.halt(status)
  end

  defp stream(socket, number, chunks, _ms, chunked?) when number > chunks do
    if chunked?, do: Response.send_chunk(socket, :last), else: :ok
  end

  defp stream(socket, number, chunks, ms, chunked?) do
    Process.sleep(ms)
    line = "chunk #{number} of #{chunks}\n"

    sent = if chunked?, do: Response.send_chunk(socket, line), else: :gen_tcp.send(socket, line)

    with :ok <- sent, do: stream(socket, number + 1, chunks, ms, chunked?)
  end

  defp continue(socket, :ok, false, rest), do: next(socket, rest)
  defp continue(socket, _sent, _close?, _rest), do: :gen_tcp.close(socket)

  defp last?(request), do: not request.keep_alive? or Listener.draining?()

  defp refuse(socket, status) do
    Response.send_whole(socket, status, [{"content-type", "text/plain"}], "", close: true)
    linger(socket)
  end

  # Closing while bytes are unread would reset the connection and take the answer with it.
  defp linger(socket) do
    :gen_tcp.shutdown(socket, :write)
    :inet.setopts(socket, active: false)
    discard(socket, System.monotonic_time(:millisecond) + 2_000)
    :gen_tcp.close(socket)
  end

  defp discard(socket, deadline) do
    left = deadline - System.monotonic_time(:millisecond)

    with true <- left > 0, {:ok, _} <- :gen_tcp.recv(socket, 0, left) do
      discard(socket, deadline)
    end
  end
end
