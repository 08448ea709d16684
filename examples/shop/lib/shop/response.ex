defmodule Shop.Response do
  @moduledoc """
  Writes responses: whole ones in a single send, and chunked ones piece by piece.

  Every response names the version and the slot that it came from, so that a client can tell
  which release answered.
  """

  @reasons %{
    100 => "Continue",
    101 => "Switching Protocols",
    200 => "OK",
    400 => "Bad Request",
    404 => "Not Found",
    405 => "Method Not Allowed",
    408 => "Request Timeout",
    411 => "Length Required",
    413 => "Content Too Large",
    426 => "Upgrade Required",
    431 => "Request Header Fields Too Large",
    500 => "Internal Server Error",
    503 => "Service Unavailable",
    505 => "HTTP Version Not Supported"
  }

  @doc "Sends a whole response; `options` are `head_only: true` and `close: true`."
  def send_whole(socket, status, headers, body, options) do
    length = IO.iodata_length(body)
    headers = [{"content-length", Integer.to_string(length)} | headers]
    body = if options[:head_only], do: [], else: body
    :gen_tcp.send(socket, [head(status, headers, options), body])
  end

  @doc "Sends a head alone: an interim answer, an upgrade, or the start of a stream."
  def send_head(socket, status, headers, options) do
    :gen_tcp.send(socket, head(status, headers, options))
  end

  @doc "Sends one chunk of a stream, or its end as `:last`."
  def send_chunk(socket, :last), do: :gen_tcp.send(socket, "0\r\n\r\n")

  def send_chunk(socket, data) do
    size = data |> IO.iodata_length() |> Integer.to_string(16)
    :gen_tcp.send(socket, [size, "\r\n", data, "\r\n"])
  end

  defp head(status, headers, options) do
    [
      ["HTTP/1.1 ", Integer.to_string(status), " ", Map.get(@reasons, status, ""), "\r\n"],
      ["x-shop-version: ", Shop.version(), "\r\n"],
      slot(Shop.slot()),
      if(options[:close], do: "connection: close\r\n", else: []),
      for({name, value} <- headers, do: [name, ": ", value, "\r\n"]),
      "\r\n"
    ]
  end

  defp slot(nil), do: []
  defp slot(slot), do: ["x-shop-slot: ", slot, "\r\n"]
end
