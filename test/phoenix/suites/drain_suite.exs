defmodule VialPhoenix.DrainSuite do
  # A real endpoint, and a client of one of its sockets.
  use ExUnit.Case

  @moduletag :capture_log

  defmodule Channel do
    use Phoenix.Channel
    def join(_topic, _params, socket), do: {:ok, socket}
  end

  defmodule Socket do
    use Phoenix.Socket
    channel("room:*", Channel)
    def connect(_params, socket, _info), do: {:ok, socket}
    def id(_socket), do: nil
  end

  defmodule Endpoint do
    use Phoenix.Endpoint, otp_app: :vial_phoenix
    socket("/socket", Socket, websocket: true)
  end

  setup do
    Application.put_env(:vial_phoenix, Endpoint,
      adapter: Bandit.PhoenixAdapter,
      http: [ip: {127, 0, 0, 1}, port: 0],
      pubsub_server: VialPhoenix.PubSub,
      server: true
    )

    start_supervised!({Phoenix.PubSub, name: VialPhoenix.PubSub})
    start_supervised!(Endpoint)
    {:ok, {_address, port}} = Endpoint.server_info(:http)
    {:ok, port: port}
  end

  test "a client that joined a channel is closed, and may come back", %{port: port} do
    client = joined(port)
    assert Vial.Phoenix.drain(Endpoint) == :ok
    assert closed(client) =~ <<1012::16>>

    # The endpoint goes on, and drains once more.
    client = joined(port)
    assert Vial.Phoenix.drain(Endpoint) == :ok
    assert closed(client) =~ <<1012::16>>
  end

  test "an endpoint that is stopped after that drains by itself as before", %{port: port} do
    assert Vial.Phoenix.drain(Endpoint) == :ok
    client = joined(port)
    stop_supervised!(Endpoint)
    assert closed(client) =~ <<1012::16>>

    assert Vial.Phoenix.drain(Endpoint) ==
             {:error, "#{inspect(Endpoint)} is not running: its sockets were not closed"}
  end

  defp joined(port) do
    {:ok, client} = :gen_tcp.connect({127, 0, 0, 1}, port, [:binary, active: false])

    :ok =
      :gen_tcp.send(client, [
        "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      ])

    assert read(client, "\r\n\r\n") =~ " 101 "
    message = ~s(["1","1","room:1","phx_join",{}])
    # A text, whole, masked with nothing.
    frame = <<0x81, 1::1, byte_size(message)::7, 0::32, message::binary>>
    :ok = :gen_tcp.send(client, frame)
    assert read(client, "phx_reply") =~ ~s("status":"ok")
    client
  end

  defp read(client, until, got \\ "") do
    {:ok, more} = :gen_tcp.recv(client, 0, 10_000)
    got = got <> more
    if got =~ until, do: got, else: read(client, until, got)
  end

  # What came until the end; the last is why.
  defp closed(client, got \\ "") do
    case :gen_tcp.recv(client, 0, 10_000) do
      {:ok, more} ->
        got = got <> more
        # A closing frame is answered by one.
        if got =~ <<0x88>>, do: :gen_tcp.send(client, <<0x88, 0x82, 0::32, 1000::16>>)
        closed(client, got)

      {:error, :closed} ->
        got
    end
  end
end
