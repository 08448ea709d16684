defmodule Shop.WebSocketTest do
  use ExUnit.Case, async: true
  alias Shop.WebSocket
  alias Shop.WebSocket.Frame

  @mask <<0x37, 0xFA, 0x21, 0x3D>>

  test "the handshake's answer is the one of the RFC's example" do
    assert WebSocket.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
  end

  test "the RFC's masked hello is read" do
    bytes = <<0x81, 0x85, @mask::binary, 0x7F, 0x9F, 0x4D, 0x51, 0x58, "rest">>
    assert Frame.parse(bytes) == {:ok, :text, true, "Hello", "rest"}
  end

  test "each of the three ways to write a length is read and written" do
    for size <- [0, 125, 126, 65_535, 65_536] do
      payload = :binary.copy("x", size)
      assert {:ok, :binary, true, ^payload, ""} = Frame.parse(masked(2, payload))
      assert (IO.iodata_length(Frame.build(:binary, payload)) - size) in [2, 4, 10]
    end
  end

  test "a frame that arrives byte by byte is complete only with its last byte" do
    bytes = masked(1, :binary.copy("y", 200))

    for size <- 0..(byte_size(bytes) - 1) do
      assert Frame.parse(binary_part(bytes, 0, size)) == :more
    end
  end

  test "what the protocol forbids closes with 1002, what is too long with 1009" do
    assert {:error, 1002} = Frame.parse(<<0x81, 5, "Hello">>)
    assert {:error, 1002} = Frame.parse(<<0xC1, 0x80, @mask::binary>>)
    assert {:error, 1002} = Frame.parse(<<0x83, 0x80, @mask::binary>>)
    assert {:error, 1002} = Frame.parse(<<0x09, 0x80, @mask::binary>>)
    assert {:error, 1002} = Frame.parse(<<0x89, 0xFE, 126::16, @mask::binary>>)
    assert {:error, 1009} = Frame.parse(<<0x82, 0xFF, 2_000_000::64, @mask::binary>>)
  end

  test "a fragmented message is echoed whole, with a ping in between" do
    assert {:keep, message} = WebSocket.take(:text, false, "Hel", nil)
    assert {:send, pong, ^message} = WebSocket.take(:ping, true, "p", message)
    assert IO.iodata_to_binary(pong) == <<0x8A, 1, "p">>
    assert {:send, echo, nil} = WebSocket.take(:continuation, true, "lo", message)
    assert IO.iodata_to_binary(echo) == <<0x81, 5, "Hello">>
  end

  test "fragments out of order are an error" do
    assert {:error, 1002} = WebSocket.take(:continuation, true, "x", nil)
    {:keep, message} = WebSocket.take(:text, false, "x", nil)
    assert {:error, 1002} = WebSocket.take(:text, true, "y", message)
  end

  test "fragments that add up to too much are an error" do
    {:keep, message} = WebSocket.take(:binary, false, :binary.copy("x", 1024 * 1024), nil)
    assert {:error, 1009} = WebSocket.take(:continuation, false, "x", message)
  end

  test "text that is not UTF-8 is an error, whole messages and split characters are not" do
    assert {:error, 1007} = WebSocket.take(:text, true, <<0xFF>>, nil)
    {:keep, message} = WebSocket.take(:text, false, <<0xC3>>, nil)
    assert {:send, _, nil} = WebSocket.take(:continuation, true, <<0xA9>>, message)
  end

  test "a close is answered with its own code, a wrong one with 1002" do
    assert {:close, frame} = WebSocket.take(:close, true, <<1000::16, "bye">>, nil)
    assert IO.iodata_to_binary(frame) == <<0x88, 5, 1000::16, "bye">>
    assert {:close, _} = WebSocket.take(:close, true, "", nil)
    assert {:error, 1002} = WebSocket.take(:close, true, <<1005::16>>, nil)
    assert {:error, 1002} = WebSocket.take(:close, true, <<1>>, nil)
  end

  defp masked(opcode, payload) do
    length =
      case byte_size(payload) do
        size when size < 126 -> <<1::1, size::7>>
        size when size < 65_536 -> <<1::1, 126::7, size::16>>
        size -> <<1::1, 127::7, size::64>>
      end

    <<1::1, 0::3, opcode::4, length::binary, @mask::binary, Frame.mask(payload, @mask)::binary>>
  end
end
