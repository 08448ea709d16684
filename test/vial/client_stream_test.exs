defmodule Vial.ClientStreamTest do
  use ExUnit.Case, async: true

  import Vial.FakeDaemon
  alias Vial.{Answers, Client, FakeDaemon}

  defp stream(socket, opts \\ []), do: Client.stream("/v1/events", [socket: socket] ++ opts)

  # Sends so many events, and then does what the test says.
  defp sending(count, finally \\ &await_close/1) do
    FakeDaemon.start(fn socket ->
      open_stream(socket)
      for number <- 1..count, do: event(socket, Answers.removed("app#{number}"))
      finally.(socket)
    end)
  end

  # So many events, which may take their time to come, and none after them.
  defp received(ref, count) do
    names =
      for _ <- 1..count do
        assert_receive {:vial, ^ref, {:event, {:app_removed, name}}}
        name
      end

    refute_receive {:vial, ^ref, {:event, _}}
    names
  end

  test "a stream brings its events in their order" do
    {:ok, %{ref: ref}} = stream(sending(3), query: [app: "shop"])
    assert received(ref, 3) == ["app1", "app2", "app3"]
  end

  test "an event that comes in pieces, after a keep-alive, is one event" do
    socket =
      FakeDaemon.start(fn socket ->
        open_stream(socket)
        chunk(socket, ":\n\n")
        for <<byte <- "data: " <> Answers.removed("a") <> "\n\n">>, do: chunk(socket, <<byte>>)
        await_close(socket)
      end)

    {:ok, %{ref: ref}} = stream(socket)
    assert received(ref, 1) == ["a"]
  end

  test "no more events come than were asked for" do
    {:ok, %{ref: ref} = stream} = stream(sending(200))
    received(ref, 64)
    Client.more(stream, 10)
    received(ref, 10)
    Client.more(stream, 1_000)
    assert List.last(received(ref, 126)) == "app200"
  end

  test "a consumer that asks for nothing holds the daemon, not its events in memory" do
    test = self()
    big = Answers.removed(String.duplicate("x", 100_000))

    socket =
      FakeDaemon.start(fn socket ->
        open_stream(socket)
        :inet.setopts(socket, send_timeout: 500)
        sent = Enum.take_while(1..500, fn _ -> event(socket, big) == :ok end)
        send(test, {:sent, length(sent)})
      end)

    {:ok, _} = stream(socket, credit: 0)
    assert_receive {:sent, sent}, 5_000
    assert sent < 50
  end

  test "a stream that the daemon ends is done without an error" do
    {:ok, %{ref: ref}} = stream(sending(1, &end_stream/1))
    assert_receive {:vial, ^ref, {:event, _}}
    assert_receive {:vial, ^ref, {:done, nil}}
  end

  test "a stream that ends is done though nothing more was asked for" do
    {:ok, %{ref: ref}} = stream(sending(1, &end_stream/1), credit: 1)
    assert_receive {:vial, ^ref, {:done, nil}}
  end

  test "a stream that breaks off is done with an error, once" do
    {:ok, %{ref: ref}} = stream(sending(1, &:gen_tcp.close/1))
    assert_receive {:vial, ^ref, {:done, %Vial.Error{reason: :disconnected}}}
    refute_receive {:vial, ^ref, {:done, _}}, 50
  end

  test "an event that makes no sense ends the stream" do
    for data <- ["{", ~s({"type":"moon"}), "[]"] do
      socket = FakeDaemon.start(&(open_stream(&1) && event(&1, data) && await_close(&1)))
      {:ok, %{ref: ref}} = stream(socket)
      assert_receive {:vial, ^ref, {:done, %Vial.Error{reason: :bad_answer}}}
    end
  end

  test "a stream that is refused never opens" do
    socket = FakeDaemon.start(answering(404, Answers.problem("unknown_app")))
    assert {:error, %Vial.Error{reason: :unknown_app}} = stream(socket)
    assert {:error, %Vial.Error{reason: :unreachable}} = stream("/nowhere/vial.sock")
    socket = FakeDaemon.start(answering(Answers.daemon()))
    assert {:error, %Vial.Error{reason: :bad_answer}} = stream(socket)
    socket = FakeDaemon.start(&await_close/1)
    assert {:error, %Vial.Error{reason: :timeout}} = stream(socket, timeout: 50)
    refute_receive {:vial, _, _}, 50
  end

  test "after it was cancelled no message of it comes, and its connection is closed" do
    test = self()

    socket =
      FakeDaemon.start(fn socket ->
        open_stream(socket)

        Enum.take_while(Elixir.Stream.cycle([1]), fn _ ->
          event(socket, Answers.removed("a")) == :ok
        end)

        send(test, :closed)
      end)

    {:ok, stream} = stream(socket, credit: 100_000)
    assert_receive {:vial, _, {:event, _}}
    assert Client.cancel(stream) == :ok
    assert_receive :closed
    refute_received {:vial, _, _}
    assert Client.cancel(stream) == :ok
    assert Client.more(stream, 5) == :ok
  end

  test "a stream ends with its owner, whoever opened it" do
    test = self()
    socket = sending(2, fn socket -> send(test, await_close(socket)) end)

    owner =
      spawn(fn ->
        receive do
          {:vial, ref, {:event, _}} -> send(test, {:got, ref})
        end

        Process.sleep(:infinity)
      end)

    {:ok, %{ref: ref}} = stream(socket, owner: owner)
    assert_receive {:got, ^ref}
    refute_received {:vial, _, _}
    Process.exit(owner, :kill)
    assert_receive :closed
  end

  test "a stream goes on while nobody holds its handle" do
    test = self()

    socket =
      FakeDaemon.start(fn socket ->
        open_stream(socket)
        send(test, {:daemon, self()})
        receive(do: (:now -> event(socket, Answers.removed("late"))))
        await_close(socket)
      end)

    assert {:ok, _} = stream(socket)
    :erlang.garbage_collect()
    assert_receive {:daemon, daemon}
    send(daemon, :now)
    assert_receive {:vial, _, {:event, {:app_removed, "late"}}}
  end

  test "a stream for a process that is dead never opens" do
    {owner, monitor} = spawn_monitor(fn -> :ok end)
    assert_receive {:DOWN, ^monitor, _, _, _}
    assert {:error, %Vial.Error{reason: :stopped}} = stream(sending(1), owner: owner)
  end
end
