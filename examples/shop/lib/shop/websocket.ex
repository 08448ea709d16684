defmodule Shop.WebSocket do
  @moduledoc """
  A WebSocket that echoes each message, whole, as it came.

  `Shop.Connection` hands its socket over after the handshake. When the server stops, the client
  is told with 1012, "service restart", and has a second to say goodbye.
  """

  alias Shop.WebSocket.Frame

  @guid "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  @doc "The answer to a client's `Sec-WebSocket-Key`."
  def accept(key), do: Base.encode64(:crypto.hash(:sha, key <> @guid))

  @doc "Echoes until either side closes. `buffer` is what arrived after the handshake."
  def serve(socket, buffer), do: next(socket, buffer, nil)

  # `message` is nil or `{opcode, size, fragments}` of a message whose end has not arrived.
  defp next(socket, buffer, message) do
    case Frame.parse(buffer) do
      {:ok, opcode, final?, payload, rest} ->
        case take(opcode, final?, payload, message) do
          {:send, frame, message} -> send_then_next(socket, frame, rest, message)
          {:keep, message} -> next(socket, rest, message)
          {:close, frame} -> bye(socket, frame, 0)
          {:error, code} -> bye(socket, Frame.close(code, ""), 1_000)
        end

      :more ->
        await(socket, buffer, message)

      {:error, code} ->
        bye(socket, Frame.close(code, ""), 1_000)
    end
  end

  defp await(socket, buffer, message) do
    :inet.setopts(socket, active: :once)

    receive do
      {:tcp, ^socket, data} -> next(socket, buffer <> data, message)
      {:tcp_closed, ^socket} -> :ok
      {:tcp_error, ^socket, _reason} -> :gen_tcp.close(socket)
      :drain -> bye(socket, Frame.close(1012, "service restart"), 1_000)
    end
  end

  @doc """
  What to do with one frame, given the unfinished message before it.

  Returns `{:send, frame, message}`, `{:keep, message}`, `{:close, frame}` or `{:error, code}`.
  """
  def take(:ping, true, payload, message), do: {:send, Frame.build(:pong, payload), message}
  def take(:pong, true, _payload, message), do: {:keep, message}

  def take(:close, true, <<>>, _message), do: {:close, Frame.build(:close, <<>>)}

  def take(:close, true, <<code::16, reason::binary>> = payload, _message) do
    cond do
      not close_code?(code) -> {:error, 1002}
      not String.valid?(reason) -> {:error, 1007}
      true -> {:close, Frame.build(:close, payload)}
    end
  end

  def take(:close, true, _one_byte, _message), do: {:error, 1002}

  def take(:continuation, _final?, _payload, nil), do: {:error, 1002}

  def take(:continuation, final?, payload, {opcode, size, fragments}) do
    collect(opcode, final?, size + byte_size(payload), [fragments, payload])
  end

  def take(opcode, final?, payload, nil), do: collect(opcode, final?, byte_size(payload), payload)
  def take(_opcode, _final?, _payload, _unfinished), do: {:error, 1002}

  defp collect(opcode, final?, size, fragments) do
    cond do
      size > Frame.message_limit() -> {:error, 1009}
      not final? -> {:keep, {opcode, size, fragments}}
      true -> echo(opcode, IO.iodata_to_binary(fragments))
    end
  end

  defp echo(opcode, payload) do
    if opcode == :text and not String.valid?(payload),
      do: {:error, 1007},
      else: {:send, Frame.build(opcode, payload), nil}
  end

  defp close_code?(code), do: code in 1000..1003 or code in 1007..1014 or code in 3000..4999

  defp send_then_next(socket, frame, rest, message) do
    case :gen_tcp.send(socket, frame) do
      :ok -> next(socket, rest, message)
      {:error, _} -> :gen_tcp.close(socket)
    end
  end

  # Sends the close frame and gives the client so long to answer it before the socket is closed.
  defp bye(socket, frame, wait) do
    :gen_tcp.send(socket, frame)
    :gen_tcp.shutdown(socket, :write)
    await_end(socket, System.monotonic_time(:millisecond) + wait)
    :gen_tcp.close(socket)
  end

  defp await_end(socket, deadline) do
    :inet.setopts(socket, active: :once)

    receive do
      {:tcp, ^socket, _goodbye} -> await_end(socket, deadline)
      {:tcp_closed, ^socket} -> :ok
      {:tcp_error, ^socket, _reason} -> :ok
    after
      max(deadline - System.monotonic_time(:millisecond), 0) -> :ok
    end
  end
end
