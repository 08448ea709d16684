defmodule Shop.ServerTest do
  # Not async: the last test stops the server.
  use ExUnit.Case

  setup do
    start = Application.ensure_all_started(:shop)
    assert {:ok, _} = start
    :ok
  end

  test "the home page names the version" do
    reply = exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert reply =~ "HTTP/1.1 200 OK\r\n"
    assert reply =~ "x-shop-version: #{Shop.version()}\r\n"
    assert reply =~ ~s({"app":"shop","version":"#{Shop.version()}","slot":null})
  end

  test "pipelined requests, one with a body, are answered in order" do
    reply =
      exchange(
        "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nfirst" <>
          "GET /nowhere HTTP/1.1\r\n\r\n" <>
          "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"
      )

    assert [_, first, second, third] = String.split(reply, "HTTP/1.1 ")
    assert "200 OK" <> _ = first
    assert String.ends_with?(first, "\r\n\r\nfirst")
    assert "404 Not Found" <> _ = second
    assert "200 OK" <> _ = third
  end

  test "HEAD has the length of the body and no body" do
    reply = exchange("HEAD /health HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert reply =~ "content-length: 3\r\n"
    assert String.ends_with?(reply, "\r\n\r\n")
  end

  test "a client that waits to be asked for its body is asked" do
    socket = connect()
    head = "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    :ok = :gen_tcp.send(socket, [head, "Connection: close\r\n\r\n"])
    assert {:ok, "HTTP/1.1 100 Continue\r\n\r\n"} = :gen_tcp.recv(socket, 25, 5_000)
    :ok = :gen_tcp.send(socket, "hi")
    assert String.ends_with?(read_all(socket), "\r\n\r\nhi")
  end

  test "a stream comes in chunks, and to HTTP/1.0 without them" do
    reply = exchange("GET /stream?chunks=2&ms=1 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert reply =~ "transfer-encoding: chunked"
    assert String.ends_with?(reply, "D\r\nchunk 1 of 2\n\r\nD\r\nchunk 2 of 2\n\r\n0\r\n\r\n")

    reply = exchange("GET /stream?chunks=2&ms=1 HTTP/1.0\r\n\r\n")
    assert String.ends_with?(reply, "\r\n\r\nchunk 1 of 2\nchunk 2 of 2\n")
  end

  test "a body that is too large is refused with an answer, not a reset" do
    reply = exchange("POST /echo HTTP/1.1\r\nContent-Length: 90000000\r\n\r\nsome of it")
    assert reply =~ "HTTP/1.1 413 "
  end

  test "stopping finishes what is in flight, closes what is idle and says 1012 to WebSockets" do
    idle = connect()
    :ok = :gen_tcp.send(idle, "GET /health HTTP/1.1\r\n\r\n")
    {:ok, "HTTP/1.1 200" <> _} = :gen_tcp.recv(idle, 0, 5_000)

    websocket = connect()

    :ok =
      :gen_tcp.send(websocket, [
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      ])

    {:ok, "HTTP/1.1 101" <> _} = :gen_tcp.recv(websocket, 0, 5_000)
    :ok = :gen_tcp.send(websocket, <<0x81, 0x81, 0::32, "a">>)
    {:ok, <<0x81, 1, "a">>} = :gen_tcp.recv(websocket, 3, 5_000)

    busy = connect()
    :ok = :gen_tcp.send(busy, "GET /slow?ms=400 HTTP/1.1\r\n\r\n")
    # The echo above shows that the server works; this one shows that it has read the request.
    wait_for_reader(busy)

    port = Shop.Listener.port()
    stopping = Task.async(fn -> Application.stop(:shop) end)

    assert read_all(idle) == ""
    assert <<0x88, _, 1012::16, "service restart">> = read_all(websocket)
    reply = read_all(busy)
    assert reply =~ "connection: close\r\n"
    assert String.ends_with?(reply, "slept 400 ms\n")
    :gen_tcp.close(websocket)

    assert Task.await(stopping) == :ok
    assert {:error, :econnrefused} = :gen_tcp.connect({127, 0, 0, 1}, port, [])
  end

  # The request was read once the server's end has nothing left to read and a process sleeps on it.
  defp wait_for_reader(socket) do
    {:ok, {_, port}} = :inet.sockname(socket)

    reader =
      Enum.find(Task.Supervisor.children(Shop.Connections), fn pid ->
        {:links, links} = Process.info(pid, :links)
        Enum.any?(links, &(is_port(&1) and :inet.peername(&1) == {:ok, {{127, 0, 0, 1}, port}}))
      end)

    case reader && Process.info(reader, :current_function) do
      {:current_function, {Process, :sleep, 1}} ->
        :ok

      _ ->
        Process.sleep(5)
        wait_for_reader(socket)
    end
  end

  defp exchange(bytes) do
    socket = connect()
    :ok = :gen_tcp.send(socket, bytes)
    read_all(socket)
  end

  defp connect do
    options = [:binary, active: false]
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, Shop.Listener.port(), options)
    socket
  end

  defp read_all(socket, received \\ "") do
    case :gen_tcp.recv(socket, 0, 10_000) do
      {:ok, data} -> read_all(socket, received <> data)
      {:error, :closed} -> received
    end
  end
end
