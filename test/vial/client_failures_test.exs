defmodule Vial.ClientFailuresTest do
  use ExUnit.Case, async: true

  import Bitwise
  import Vial.FakeDaemon
  alias Vial.{Answers, Client, FakeDaemon}

  defp get(socket, opts \\ []),
    do: Client.call(:get, "/v1/status", :daemon, [socket: socket] ++ opts)

  defp post(socket, opts \\ []) do
    Client.call(:post, "/v1/apps/shop/rollback", :accepted, [socket: socket] ++ opts)
  end

  defp reason({:error, %Vial.Error{} = error}) do
    assert is_binary(error.message) and error.message =~ "."
    error.reason
  end

  defp mailbox, do: Process.info(self(), :messages) |> elem(1)

  describe "a daemon that is away" do
    test "is unreachable, and the error says what to start" do
      assert {:error, %{reason: :unreachable, message: message, next: next}} =
               get("/nowhere/vial.sock")

      assert message =~ "/nowhere/vial.sock" and next =~ "systemctl start vial"
    end

    test "and left its socket behind is unreachable" do
      path = FakeDaemon.path()
      :gen_tcp.close(listen(path))
      assert {:error, %{reason: :unreachable, next: next}} = get(path)
      assert next =~ "restart"
      File.rm!(path)
    end

    test "in a node that it did not start is an error of its own" do
      assert {:error, %{reason: :no_socket}} =
               Client.call(:get, "/v1/status", :daemon, socket: "")
    end
  end

  describe "a daemon that hangs" do
    test "is given up in time, whether it said nothing or half" do
      for said <- ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] do
        socket =
          FakeDaemon.start(fn socket ->
            {:ok, _} = request(socket)
            :gen_tcp.send(socket, said)
            await_close(socket)
          end)

        {time, answer} = :timer.tc(fn -> get(socket, timeout: 100) end)
        assert reason(answer) == :timeout
        assert time in 100_000..1_000_000
      end
    end

    test "and does not even take the connection is given up too" do
      path = FakeDaemon.path()
      listener = listen(path)
      assert reason(get(path, timeout: 50)) == :timeout
      :gen_tcp.close(listener)
      File.rm!(path)
    end

    test "while it sends on and on is given up" do
      on_and_on = fn socket, fun ->
        case :gen_tcp.send(socket, "HTTP/1.1 100 Continue\r\n\r\n") do
          :ok -> fun.(socket, fun)
          _ -> :ok
        end
      end

      socket = FakeDaemon.start(&(request(&1) && on_and_on.(&1, on_and_on)))
      assert reason(get(socket, timeout: 100)) == :timeout
    end

    test "holds up no other caller" do
      hanging = FakeDaemon.start(&await_close/1)
      for _ <- 1..50, do: spawn_link(fn -> get(hanging, timeout: 2_000) end)
      good = FakeDaemon.start(answering(Answers.daemon()))
      {time, {:ok, _}} = :timer.tc(fn -> get(good) end)
      assert time < 500_000
    end
  end

  describe "a daemon that breaks off" do
    test "is disconnected, in the head or in the body" do
      for said <- ["HTTP/1.1 200 OK\r\ncont", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] do
        socket =
          FakeDaemon.start(fn socket ->
            {:ok, _} = request(socket)
            :gen_tcp.send(socket, said)
            :gen_tcp.close(socket)
          end)

        assert reason(get(socket)) == :disconnected
      end
    end

    test "between two questions is asked again over a new connection, once each" do
      test = self()

      socket =
        FakeDaemon.start(fn socket ->
          {:ok, request} = request(socket)
          send(test, {:asked, request.line})
          answer(socket, 200, Answers.accepted())
          :gen_tcp.close(socket)
        end)

      for _ <- 1..50, do: assert({:ok, _} = post(socket))
      lines = for {:asked, line} <- mailbox(), do: line
      assert length(lines) == 50
    end

    test "on a second question over one connection is asked again for what only looks" do
      socket = FakeDaemon.start(once_per_connection(self()))
      assert {:ok, _} = get(socket)
      assert {:ok, _} = get(socket)
      assert_receive {:connection, 1}
      assert_receive {:connection, 2}
    end

    test "on a change is not asked for it twice" do
      test = self()

      socket =
        FakeDaemon.start(fn socket ->
          case request(socket) do
            {:ok, %{line: "GET" <> _}} ->
              answer(socket, 200, Answers.daemon())
              await_close(socket)

            {:ok, %{line: line}} ->
              send(test, {:asked, line})
              :gen_tcp.close(socket)
          end
        end)

      # A connection is kept, and the change does not use it.
      assert {:ok, _} = get(socket)
      assert reason(post(socket)) == :disconnected
      assert_receive {:asked, "POST" <> _}
      refute_receive {:asked, _}, 50
    end

    # Answers the first request of a connection, takes the second and breaks off.
    defp once_per_connection(test) do
      counter = :counters.new(1, [])

      fn socket ->
        :counters.add(counter, 1, 1)
        send(test, {:connection, :counters.get(counter, 1)})
        {:ok, _} = request(socket)
        answer(socket, 200, Answers.daemon())
        request(socket)
        :gen_tcp.close(socket)
      end
    end
  end

  describe "what is not the daemon" do
    test "is a bad answer" do
      for said <- [
            "SSH-2.0-OpenSSH_9.2\r\n",
            :crypto.strong_rand_bytes(200) <> "\r\n\r\n",
            "HTTP/1.1 200 OK\r\n" <> String.duplicate("x: y\r\n", 200_000),
            "HTTP/1.1 200 OK\r\nx: " <> String.duplicate("y", 1_000_000),
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"
          ] do
        socket =
          FakeDaemon.start(fn socket ->
            request(socket)
            :gen_tcp.send(socket, said)
            :gen_tcp.close(socket)
          end)

        assert reason(get(socket)) == :bad_answer, "#{inspect(String.slice(said, 0, 40))}"
      end
    end

    test "and never ends is a bad answer" do
      socket =
        FakeDaemon.start(fn socket ->
          {:ok, _} = request(socket)
          :gen_tcp.send(socket, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
          piece = :binary.copy(" ", 1 <<< 20)
          Enum.take_while(1..100, fn _ -> chunk(socket, piece) == :ok end)
        end)

      assert reason(get(socket)) == :bad_answer
    end

    test "but another version of it is named with both versions" do
      socket =
        FakeDaemon.start(
          &answer_all(&1, fn
            %{line: "GET /v1/status" <> _} -> {200, Answers.daemon("7.8.9")}
            _ -> {200, ~s({"slot":"purple","lines":[],"cursor":0})}
          end)
        )

      assert {:error, error} = Client.call(:get, "/v1/apps/shop/logs", :log, socket: socket)
      assert error.reason == :bad_answer
      assert error.message =~ "version 7.8.9" and error.message =~ "version 0.1.0"
      assert error.message =~ "purple"
    end
  end

  describe "a caller" do
    test "that dies ends its question at once" do
      test = self()

      socket =
        FakeDaemon.start(fn socket ->
          {:ok, _} = request(socket)
          send(test, :asked)
          send(test, await_close(socket))
        end)

      caller = spawn(fn -> get(socket, timeout: :infinity) end)
      assert_receive :asked
      Process.exit(caller, :kill)
      assert_receive :closed, 1_000
    end

    test "gets one answer, and no message after it, however close the time-out comes" do
      socket =
        FakeDaemon.start(fn socket ->
          answer_all(socket, fn _ ->
            Process.sleep(2)
            {200, Answers.daemon()}
          end)
        end)

      outcomes =
        for _ <- 1..300 do
          case get(socket, timeout: Enum.random(1..6)) do
            {:ok, _} -> :ok
            {:error, %{reason: :timeout}} -> :timeout
          end
        end

      assert outcomes |> Enum.uniq() |> Enum.sort() == [:ok, :timeout]
      Process.sleep(50)
      assert mailbox() == []
    end
  end
end
