defmodule Vial.FakeDaemon do
  @moduledoc false
  # Something that listens on a Unix socket and does what a test tells it: answer, hang, break off,
  # or talk nonsense. `behave` gets each connection in a process of its own.

  @doc "Starts it for the running test; its socket is removed afterwards."
  def start(behave) when is_function(behave, 1) do
    path = path()
    listener = listen(path)
    acceptor = spawn_link(fn -> receive(do: (:go -> accept(listener, behave))) end)
    :ok = :gen_tcp.controlling_process(listener, acceptor)
    send(acceptor, :go)
    ExUnit.Callbacks.on_exit(fn -> File.rm(path) end)
    path
  end

  @doc "A path for a socket that no other test has."
  def path do
    Path.join(
      System.tmp_dir!(),
      "vial-#{System.pid()}-#{System.unique_integer([:positive])}.sock"
    )
  end

  @doc "Listens, and nothing more."
  def listen(path) do
    options = [:binary, ifaddr: {:local, path}, active: false, backlog: 1024]
    {:ok, listener} = :gen_tcp.listen(0, options)
    listener
  end

  defp accept(listener, behave) do
    {:ok, socket} = :gen_tcp.accept(listener)
    worker = spawn_link(fn -> receive(do: (:go -> behave.(socket))) end)
    :ok = :gen_tcp.controlling_process(socket, worker)
    send(worker, :go)
    accept(listener, behave)
  end

  @doc "Answers every request of a connection with the same."
  def answering(status \\ 200, body), do: &answer_all(&1, fn _ -> {status, body} end)

  @doc "Answers every request of a connection with what `answer` makes of it."
  def answer_all(socket, answer) do
    case request(socket) do
      {:ok, request} ->
        {status, body} = answer.(request)
        answer(socket, status, body)
        answer_all(socket, answer)

      :closed ->
        :ok
    end
  end

  @doc "Reads one request: its first line, its headers, its body."
  def request(socket) do
    with {:ok, head, rest} <- head(socket, "") do
      [line | headers] = String.split(head, "\r\n")

      headers =
        Map.new(headers, fn header ->
          [name, value] = String.split(header, ": ", parts: 2)
          {String.downcase(name), value}
        end)

      {:ok, %{line: line, headers: headers, body: body(socket, headers, rest)}}
    end
  end

  defp head(socket, known) do
    case String.split(known, "\r\n\r\n", parts: 2) do
      [head, rest] -> {:ok, head, rest}
      [_] -> with {:ok, more} <- receive_more(socket), do: head(socket, known <> more)
    end
  end

  defp body(socket, %{"content-length" => length}, known) do
    exactly(socket, String.to_integer(length), known) |> elem(0)
  end

  defp body(socket, %{"transfer-encoding" => "chunked"}, known), do: chunks(socket, known, [])
  defp body(_socket, _headers, _known), do: ""

  defp chunks(socket, known, chunks) do
    case String.split(known, "\r\n", parts: 2) do
      ["0", _] ->
        IO.iodata_to_binary(Enum.reverse(chunks))

      [size, rest] ->
        {chunk, rest} = exactly(socket, String.to_integer(size, 16) + 2, rest)
        chunks(socket, rest, [binary_part(chunk, 0, byte_size(chunk) - 2) | chunks])

      [_] ->
        case receive_more(socket) do
          {:ok, more} -> chunks(socket, known <> more, chunks)
          :closed -> :broken
        end
    end
  end

  defp exactly(socket, size, known) do
    case known do
      <<wanted::binary-size(size), rest::binary>> ->
        {wanted, rest}

      _ ->
        {:ok, more} = :gen_tcp.recv(socket, size - byte_size(known))
        exactly(socket, size, known <> more)
    end
  end

  defp receive_more(socket) do
    case :gen_tcp.recv(socket, 0) do
      {:ok, more} -> {:ok, more}
      {:error, _} -> :closed
    end
  end

  @doc "Answers once."
  def answer(socket, status, body) do
    :gen_tcp.send(socket, [
      "HTTP/1.1 #{status} x\r\ncontent-type: application/json\r\n",
      "content-length: #{byte_size(body)}\r\n\r\n",
      body
    ])
  end

  @doc "Begins a stream of events."
  def open_stream(socket) do
    {:ok, request} = request(socket)

    :gen_tcp.send(
      socket,
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )

    request
  end

  @doc "Sends an event's data."
  def event(socket, data), do: chunk(socket, "id: 1\ndata: #{data}\n\n")

  @doc "Sends a chunk of a stream's bytes."
  def chunk(socket, bytes) do
    :gen_tcp.send(socket, [Integer.to_string(byte_size(bytes), 16), "\r\n", bytes, "\r\n"])
  end

  @doc "Ends a stream as one ends it that has nothing more to say."
  def end_stream(socket), do: :gen_tcp.send(socket, "0\r\n\r\n")

  @doc "Waits until the other end has closed the connection, and says so."
  def await_close(socket) do
    case :gen_tcp.recv(socket, 0, 5_000) do
      {:ok, _} -> await_close(socket)
      {:error, reason} -> reason
    end
  end
end
