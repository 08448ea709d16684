defmodule Shop.WebSocket.Frame do
  @moduledoc """
  The frames of RFC 6455, as a server reads and writes them.
  """

  import Bitwise

  @message_limit 1024 * 1024
  @opcodes %{0 => :continuation, 1 => :text, 2 => :binary, 8 => :close, 9 => :ping, 10 => :pong}
  @codes Map.new(@opcodes, fn {code, opcode} -> {opcode, code} end)

  @doc """
  Takes one frame off the front of `buffer`.

  Returns `{:ok, opcode, final?, payload, rest}`, `:more`, or `{:error, code}` with the status
  code to close with.
  """
  def parse(<<_final::1, reserved::3, _::bitstring>>) when reserved != 0, do: {:error, 1002}
  def parse(<<_::8, 0::1, _::bitstring>>), do: {:error, 1002}

  def parse(<<final::1, 0::3, code::4, 1::1, 127::7, length::64, rest::binary>>),
    do: payload(final, code, length, rest)

  def parse(<<final::1, 0::3, code::4, 1::1, 126::7, length::16, rest::binary>>),
    do: payload(final, code, length, rest)

  def parse(<<final::1, 0::3, code::4, 1::1, length::7, rest::binary>>) when length < 126,
    do: payload(final, code, length, rest)

  def parse(_), do: :more

  defp payload(final, code, length, rest) do
    opcode = @opcodes[code]

    cond do
      opcode == nil -> {:error, 1002}
      code >= 8 and (length > 125 or final == 0) -> {:error, 1002}
      length > @message_limit -> {:error, 1009}
      true -> unmask(opcode, final == 1, length, rest)
    end
  end

  defp unmask(opcode, final?, length, <<mask::binary-4, rest::binary>>)
       when byte_size(rest) >= length do
    <<payload::binary-size(length), rest::binary>> = rest
    {:ok, opcode, final?, mask(payload, mask), rest}
  end

  defp unmask(_opcode, _final?, _length, _rest), do: :more

  @doc "Applies a mask of four bytes, which is also how one is taken off."
  def mask(payload, mask) do
    size = byte_size(payload)
    <<key::binary-size(size), _::binary>> = :binary.copy(mask, (size >>> 2) + 1)
    :crypto.exor(payload, key)
  end

  @doc "One whole, unmasked frame."
  def build(opcode, payload) do
    [<<1::1, 0::3, Map.fetch!(@codes, opcode)::4>>, size(byte_size(payload)), payload]
  end

  @doc "A close frame with a status code and a reason."
  def close(code, reason), do: build(:close, <<code::16, reason::binary>>)

  defp size(length) when length < 126, do: <<0::1, length::7>>
  defp size(length) when length < 65_536, do: <<0::1, 126::7, length::16>>
  defp size(length), do: <<0::1, 127::7, length::64>>

  @doc "The longest message that is taken, in fragments or whole."
  def message_limit, do: @message_limit
end
