defmodule Vial.RoleTest do
  # The role is the whole node's.
  use ExUnit.Case, async: false

  import ExUnit.CaptureLog
  import Vial.Samples

  alias Vial.{FakeClient, Place}

  doctest Vial.Oban
  doctest Vial.Ecto
  doctest Vial.Phoenix

  defmodule Queues do
    def active, do: send(:role_test, :queues_run)
    def standby, do: send(:role_test, :queues_rest)
  end

  defmodule Signals do
    # The queues of an Oban, and how many signals they will not hear.
    def start_link(queues), do: Agent.start_link(fn -> {queues, 0} end, name: __MODULE__)
    def queues, do: Agent.get(__MODULE__, &elem(&1, 0))
    def put(queues), do: Agent.update(__MODULE__, fn {_, deaf} -> {queues, deaf} end)
    def deaf(signals), do: Agent.update(__MODULE__, fn {queues, _} -> {queues, signals} end)

    def signal(said, paused) do
      send(:role_test, said)

      Agent.update(__MODULE__, fn
        {queues, 0} -> {Enum.map(queues, &%{&1 | paused: paused}), 0}
        {queues, deaf} -> {queues, deaf - 1}
      end)
    end
  end

  setup do
    Process.register(self(), :role_test)
    Place.nowhere()
    FakeClient.install()
    on_exit(fn -> restart() end)
  end

  describe "a node that Vial did not start" do
    setup do
      restart()
    end

    test "is active, and asks nobody" do
      assert Vial.active?()
      assert Vial.on_active(fn -> send(:role_test, :run) end) == :ok
      assert_received :run
      assert Vial.on_standby(fn -> send(:role_test, :rest) end) == :ok
      refute_received :rest
      refute_received {:called, _, _, _}
    end
  end

  describe "a release that was just started" do
    setup do
      Place.in_slot("blue")
      says(status(active: :green))
      restart()
    end

    test "stands by: its queues rest before anything is registered twice" do
      refute Vial.active?()
      Vial.on_active(Queues)
      Vial.on_standby(Queues)
      assert_received :queues_rest
      refute_received :queues_run
    end

    test "is told when it takes the traffic and when it loses it, in order and back" do
      for n <- 1..3, do: Vial.on_active(fn -> send(:role_test, {:up, n}) end)
      for n <- 1..3, do: Vial.on_standby(fn -> send(:role_test, {:down, n}) end)
      for n <- 1..3, do: assert_received({:down, ^n})

      FakeClient.push({:app, status(active: :blue)})
      assert received(3) == [up: 1, up: 2, up: 3]
      assert Vial.active?()

      FakeClient.push({:app, status(active: :green)})
      assert received(3) == [down: 3, down: 2, down: 1]
      refute Vial.active?()
    end

    test "is told once, however often the same is said" do
      Vial.on_active(Queues)
      for _ <- 1..3, do: FakeClient.push({:app, status(active: :blue)})
      assert_receive :queues_run
      refute_receive :queues_run, 50
    end

    test "keeps what it was told last where the daemon goes away, and says so once" do
      log =
        capture_log(fn ->
          FakeClient.push({:app, status(active: :blue)})
          eventually(&Vial.active?/0)

          FakeClient.answer(fn _, _, _ -> {:error, error(:unreachable, "The daemon is away.")} end)

          FakeClient.drop(error(:disconnected, "The daemon ended the connection."))
          Process.sleep(200)
          assert Vial.active?()
        end)

      assert [_once] = Regex.scan(~r/This node stays active meanwhile/, log)
    end

    test "hears of what changed while the daemon was away" do
      Vial.on_active(Queues)
      says(status(active: :blue))

      capture_log(fn ->
        FakeClient.drop(nil)
        assert_receive :queues_run
      end)
    end

    test "an event of another application or a removal changes nothing" do
      FakeClient.push({:app_removed, "shop"})
      FakeClient.push({:log, %Vial.Log{slot: :blue, cursor: 0}})
      Vial.on_standby(Queues)
      assert_received :queues_rest
    end
  end

  describe "what can go wrong in a callback" do
    setup do
      restart()
    end

    test "what it raises, throws or returns as an error is logged, and the next one runs" do
      log =
        capture_log(fn ->
          Vial.on_active(fn -> raise "no queue" end)
          Vial.on_active(fn -> throw(:ball) end)
          Vial.on_active(fn -> exit(:gone) end)
          Vial.on_active(fn -> {:error, %RuntimeError{message: "not today"}} end)
          Vial.on_active({Process, :exit_nothing, []})
          Vial.on_active(Queues)
        end)

      assert_received :queues_run

      for said <- ["no queue", ":ball", ":gone", "not today", "exit_nothing"],
          do: assert(log =~ said)
    end

    test "one that takes too long is ended" do
      log =
        capture_log(fn ->
          assert Vial.on_active(fn -> Process.sleep(:infinity) end, timeout: 20) == :ok
        end)

      assert log =~ "did not end within 20 ms and was ended"
    end

    test "one that registers another one does not wait for itself" do
      assert Vial.on_active(fn -> Vial.on_active(Queues) end) == :ok
      assert_receive :queues_run
    end

    test "one that is registered again takes the place of itself" do
      Place.in_slot("blue")
      says(status(active: :green))
      restart()
      for _ <- 1..3, do: Vial.on_active(Queues)
      FakeClient.push({:app, status(active: :blue)})
      assert_receive :queues_run
      refute_receive :queues_run, 50
    end

    test "what is not one is refused at once" do
      assert_raise ArgumentError, ~r/a module with standby\/0, got: Enum/, fn ->
        Vial.on_standby(Enum)
      end
    end
  end

  test "without the native library the node counts as active, and says so" do
    Place.in_slot("blue")
    FakeClient.answer(fn _, _, _ -> {:error, error(:not_loaded, "The library is not there.")} end)
    log = capture_log(fn -> restart() && eventually(&Vial.active?/0) end)
    assert log =~ "Whether this slot is active cannot be known: it counts as active"
  end

  test "a daemon that is away at the start is waited for, on standby" do
    Place.in_slot("blue")
    FakeClient.answer(fn _, _, _ -> {:error, error(:unreachable)} end)

    capture_log(fn ->
      restart()
      Vial.on_active(Queues)
      refute Vial.active?()
      says(status(active: :blue))
      assert_receive :queues_run
    end)
  end

  test "callbacks are not forgotten where Vial's own process falls" do
    Place.in_slot("blue")
    says(status(active: :blue))
    restart()
    Vial.on_active(Queues)
    assert_received :queues_run
    Process.exit(Process.whereis(Vial.Role), :kill)
    assert_receive :queues_run
    assert Vial.active?()
  end

  test "a slot that does not exist hinders no application's start" do
    Place.put(%{"VIAL_APP" => "shop", "VIAL_SLOT" => "red", "VIAL_SOCKET" => "/run/vial.sock"})
    assert restart() == :ok
    assert Vial.active?()
  end

  test "where Vial's application was not started, the present is all that is told" do
    Supervisor.terminate_child(Vial.Supervisor, Vial.Role)
    Vial.Role.forget()
    assert Vial.active?()
    Vial.on_active(Queues)
    assert_received :queues_run
    Vial.on_standby(Queues)
    refute_received :queues_rest
  end

  # Oban is played by a module of its name.
  test "Oban's queues rest on standby and run when the slot is active" do
    defmodule Elixir.Oban do
      def pause_all_queues(name, opts), do: send(:role_test, {:paused, name, opts}) && :ok
      def resume_all_queues(name, opts), do: send(:role_test, {:resumed, name, opts}) && :ok
    end

    Place.in_slot("blue")
    says(status(active: :green))
    restart()
    Vial.on_standby(Vial.Oban)
    Vial.on_active({Vial.Oban, :active, [Shop.Oban]})
    assert_received {:paused, Oban, [local_only: true]}
    FakeClient.push({:app, status(active: :blue)})
    assert_receive {:resumed, Shop.Oban, [local_only: true]}
  after
    :code.purge(Oban)
    :code.delete(Oban)
  end

  describe "an Oban that says what its queues do" do
    # As Oban 2.23 has it: a pause is a signal, which a queue follows when it hears of it, and its jobs
    # go on.
    setup do
      defmodule Elixir.Oban do
        alias Vial.RoleTest.Signals

        def whereis(Oban), do: Process.whereis(Signals)
        def check_all_queues(Oban), do: Signals.queues()
        def pause_all_queues(Oban, local_only: true), do: Signals.signal(:paused, true)
        def resume_all_queues(Oban, local_only: true), do: Signals.signal(:resumed, false)
      end

      on_exit(fn ->
        :code.purge(Oban)
        :code.delete(Oban)
      end)

      {:ok, _} = Signals.start_link([queue("mail", []), queue("reports", [17, 18])])
      :ok
    end

    test "rests when the jobs in hand have ended, and not before" do
      pausing = Task.async(fn -> Vial.Oban.standby() end)
      assert_receive :paused
      assert Task.yield(pausing, 100) == nil
      Signals.put([%{queue("mail", []) | paused: true}, %{queue("reports", [18]) | paused: true}])
      assert Task.yield(pausing, 100) == nil
      Signals.put([%{queue("mail", []) | paused: true}, %{queue("reports", []) | paused: true}])
      assert Task.await(pausing) == :ok
      refute_received :paused
    end

    test "is told again what it did not hear, when it pauses and when it goes on" do
      Signals.put([queue("mail", [])])

      for {signal, change} <- [
            {:paused, fn -> Vial.Oban.standby() end},
            {:resumed, fn -> Vial.Oban.active() end}
          ] do
        Signals.deaf(1)
        assert change.() == :ok
        assert_received ^signal
        assert_received ^signal
      end
    end

    test "that is still at work when the callback has to end is named" do
      log =
        capture_log(fn ->
          Place.in_slot("blue")
          says(status(active: :green))
          restart()
          Vial.on_standby(Vial.Oban, timeout: 500)
        end)

      assert log =~ "failed: the queue reports of Oban still works on 2 jobs"
      refute log =~ "was ended"
    end

    test "is at rest when its queues are, whoever paused them" do
      assert Vial.Oban.rest([]) ==
               {:error, "Oban runs and `Vial.on_standby(Vial.Oban)` was not called"}

      assert Vial.Oban.rest([Vial.Oban]) ==
               {:error, "the queue mail of Oban is not paused yet"}

      Signals.put([%{queue("reports", [17]) | paused: true}])

      assert Vial.Oban.rest([{Vial.Oban, :standby, []}]) ==
               {:error, "the queue reports of Oban still works on a job"}

      Signals.put([%{queue("mail", []) | paused: true}])
      assert Vial.Oban.rest([]) == :ok
      Signals.put([])
      assert Vial.Oban.rest([]) == :ok
    end

    defp queue(name, running), do: %{queue: name, paused: false, running: running}
  end

  defp says(status) do
    FakeClient.answer(fn
      :get, "/v1/apps/shop", _opts -> {:ok, status}
      :stream, "/v1/events", _opts -> [{:app, status}]
    end)
  end

  defp restart do
    Supervisor.terminate_child(Vial.Supervisor, Vial.Role)
    Vial.Role.forget()
    {:ok, pid} = Supervisor.restart_child(Vial.Supervisor, Vial.Role)
    # It has asked for the first time when it answers.
    :sys.get_state(pid)
    :ok
  end

  defp received(count) do
    for _ <- 1..count do
      assert_receive {way, _n} = told when way in [:up, :down]
      told
    end
  end

  defp eventually(fun, left \\ 1_000) do
    cond do
      fun.() -> :ok
      left == 0 -> flunk("it never came to be")
      true -> Process.sleep(10) && eventually(fun, left - 1)
    end
  end
end
