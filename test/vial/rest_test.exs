defmodule Vial.RestTest do
  # What the library tells the daemon of its rest, and how it lets its slot be frozen. The role is the
  # whole node's.
  use ExUnit.Case, async: false

  import ExUnit.CaptureLog
  import Vial.Samples

  alias Vial.{FakeClient, Place, Rested}

  @moduletag :capture_log

  setup do
    Process.register(self(), :rest_test)
    Place.nowhere()
    FakeClient.install()
    on_exit(fn -> restart() end)
    Place.in_run("blue", "run-7")
  end

  describe "what the daemon is told" do
    test "is that a release rests when its last callback for standby has ended, and not before" do
      begin(status(active: :green))
      assert_said(true)
      in_hand = slow(:down)
      Vial.on_standby(in_hand, wait: false)
      assert_receive {:down, worker}
      FakeClient.push({:app, status(active: :blue)})
      FakeClient.push({:app, status(active: :blue, works: nil)})
      assert_said(false)
      refute_said(50)
      send(worker, :done)
      # The role changed meanwhile, so it is called once more.
      assert_receive {:down, worker}
      refute_said(50)
      send(worker, :done)
      assert_said(true)
    end

    test "is that it works, before anything works" do
      begin(status(active: :green))
      assert_said(true)
      Vial.on_active(fn -> send(:rest_test, :up) end)

      answers(fn _body ->
        refute_received :up
        {:ok, %Rested{}}
      end)

      FakeClient.push({:app, status(active: :blue)})
      assert_said(false)
      assert_receive :up
    end

    test "is what went wrong in a callback" do
      begin(status(active: :green))
      Vial.on_standby(fn -> raise "the queue\nis stuck" end)

      assert said(false).detail =~
               ~r/\Athe callback #Function<.*> for standby failed: .*the queue/

      Vial.on_standby(fn -> Process.sleep(:infinity) end, timeout: 20, id: :slow)
      assert said(false, &(&1 =~ "did not end within 20 ms")).detail =~ "failed"
    end

    test "is told again once the daemon was away" do
      begin(status(active: :green))
      assert_said(true)
      FakeClient.push({:app, status(active: :green)})
      refute_said(50)
      # Its revisions start anew with it.
      says(status(active: :green, revision: 1))
      FakeClient.drop(nil)
      assert said(true).revision == 1
    end

    test "is told of the status that is in force now, once another slot is to work" do
      begin(status(active: :green))
      assert said(true).revision == 3
      FakeClient.push({:app, status(active: :green, works: nil, revision: 4)})
      assert said(true).revision == 4
      FakeClient.push({:app, status(active: :green, works: nil, revision: 5)})
      refute_said(50)
    end

    test "is told until it was heard" do
      begin(status(active: :green), fn _body -> {:error, error(:timeout)} end)
      assert_said(true)
      answers(fn _body -> {:ok, %Rested{}} end)
      assert_said(true)
      refute_said(1_200)
    end

    test "is told once where it refuses, as one does that is older" do
      begin(status(active: :green), fn _body -> {:error, error(:not_found)} end)
      assert_said(true)
      refute_said(1_200)
    end

    test "is nothing where the daemon did not name this start, or the library is missing" do
      Place.in_slot("blue")
      begin(status(active: :green))
      Vial.on_standby(fn -> :ok end)
      refute_said(100)

      Place.nowhere()
      restart()
      Vial.on_standby(fn -> :ok end)
      refute_said(100)
    end
  end

  test "no slot works between a switch and the rest of the one that was left" do
    begin(status(active: :green))
    Vial.on_active(fn -> send(:rest_test, :up) end)
    FakeClient.push({:app, status(active: :blue, works: nil)})
    refute_receive :up, 50
    refute Vial.active?()
    FakeClient.push({:app, status(active: :blue, works: :blue)})
    assert_receive :up
    assert Vial.active?()
  end

  describe "a slot that shall be frozen" do
    test "calls what waits for the drain only then, and asks when it has ended" do
      begin(status(active: :green))
      Vial.on_standby(fn -> send(:rest_test, :down) end)
      assert Vial.on_standby(slow(:drained), after: :drain) == :ok
      assert_receive :down
      refute_receive {:drained, _}, 50

      freezing()
      FakeClient.push({:app, resting(1)})
      assert_receive {:drained, worker}
      refute_receive {:asked, _, _}, 50
      send(worker, :done)
      assert_receive {:asked, asker, body}
      assert body == %{run: "run-7", revision: 3, rested: true, holds: true}
      refute_received :down

      # Thawed; what is still in the feed of before names the same rest, and the next one is another.
      send(asker, {:answer, {:ok, %Rested{frozen: true}}})
      FakeClient.push({:app, resting(1)})
      refute_receive {:asked, _, _}, 50
      FakeClient.push({:app, status(active: :blue)})
      FakeClient.push({:app, resting(2)})
      assert_receive {:drained, worker}
      send(worker, :done)
      assert_receive {:asked, _, _}
    end

    test "asks again where the daemon would not, or was not reached, and not where it knows of none" do
      begin(status(active: :green))
      freezing()
      FakeClient.push({:app, resting(1)})

      for answer <- [{:ok, %Rested{frozen: false}}, {:error, error(:disconnected)}] do
        assert_receive {:asked, asker, _}
        send(asker, {:answer, answer})
      end

      assert_receive {:asked, asker, _}

      log =
        capture_log(fn ->
          send(asker, {:answer, {:error, error(:not_found, "There is no run-7.")}})
          refute_receive {:asked, _, _}, 700
        end)

      assert log =~ "this slot rests and is not frozen: There is no run-7."
    end

    test "takes its question back where the daemon does not answer, and asks anew" do
      begin(status(active: :green))
      freezing()
      FakeClient.push({:app, resting(1)})
      assert_receive {:asked, asker, _}
      monitor = Process.monitor(asker)
      assert_receive {:DOWN, ^monitor, :process, _, {:shutdown, :late}}, 30_000
      assert_receive {:asked, _another, _}
    end

    test "takes its question back where the rollback came first" do
      begin(status(active: :green))
      freezing()
      FakeClient.push({:app, resting(1)})
      assert_receive {:asked, asker, _}
      monitor = Process.monitor(asker)
      FakeClient.push({:app, status(active: :blue)})
      assert_receive {:DOWN, ^monitor, :process, _, _}
      assert Process.alive?(Process.whereis(Vial.Role))
    end

    test "is not frozen after a callback failed, which is called once more for it" do
      begin(status(active: :green))
      Vial.on_standby(fn -> if :persistent_term.get(:rest_test, true), do: raise("not yet") end)
      said(false)
      freezing()
      FakeClient.push({:app, resting(1)})
      refute_receive {:asked, _, _}, 100
      :persistent_term.put(:rest_test, false)
      FakeClient.push({:app, status(active: :green)})
      FakeClient.push({:app, resting(2)})
      assert_receive {:asked, _, _}
    after
      :persistent_term.erase(:rest_test)
    end

    test "is left by this process where that falls, and comes to rest all the same" do
      begin(status(active: :green))
      freezing()
      FakeClient.push({:app, resting(1)})
      assert_receive {:asked, asker, _}
      monitor = Process.monitor(asker)
      says(resting(1))
      Process.exit(Process.whereis(Vial.Role), :kill)
      assert_receive {:DOWN, ^monitor, :process, _, _}
      assert_receive {:asked, another, _} when another != asker
    end

    test "is not frozen while an Oban runs that nobody stills" do
      defmodule Elixir.Oban do
        def whereis(Oban), do: Process.whereis(:rest_test)
        def config(Oban), do: %{queues: [mail: [limit: 1]]}

        def check_queue(Oban, queue: :mail),
          do: :persistent_term.get(:rest_test, %{queue: "mail", paused: false, running: []})
      end

      begin(status(active: :green))
      freezing()
      FakeClient.push({:app, resting(1)})

      said(false, &(&1 == "Oban runs and `Vial.on_standby(Vial.Oban)` was not called"))
      refute_received {:asked, _, _}

      # Whoever pauses them in another way does as well.
      :persistent_term.put(:rest_test, %{queue: "mail", paused: true, running: []})
      assert_receive {:asked, _, _}
    after
      :persistent_term.erase(:rest_test)
      :code.purge(Oban)
      :code.delete(Oban)
    end
  end

  test "after: is :drain, and of on_standby only" do
    Place.nowhere()
    restart()

    for register <- [
          fn -> Vial.on_standby(fn -> :ok end, after: :bake) end,
          fn -> Vial.on_active(fn -> :ok end, after: :drain) end
        ] do
      assert_raise ArgumentError, ~r/after: is :drain, and of on_standby only/, register
    end
  end

  # Blue is to be frozen; the number tells one such rest from another.
  defp resting(number) do
    standby = standby(:frozen, ready: false, since: at(number))

    status(
      active: :green,
      slots: [slot(:blue, state: :resting, standby: standby), slot(:green)]
    )
  end

  # A callback that tells the test of itself, and ends when the test says so.
  defp slow(name) do
    fn ->
      send(:rest_test, {name, self()})
      receive do: (:done -> :ok)
    end
  end

  defp begin(status, answer \\ fn _body -> {:ok, %Rested{}} end) do
    says(status)
    answers(answer)
    restart()
  end

  # What the daemon answers; where it shall freeze the test does.
  defp freezing do
    answers(fn
      %{holds: true} = body ->
        send(:rest_test, {:asked, self(), body})
        receive do: ({:answer, answer} -> answer)

      _word ->
        {:ok, %Rested{}}
    end)
  end

  defp says(status), do: :persistent_term.put(:rest_test_status, status) && answer()
  defp answers(answer), do: :persistent_term.put(:rest_test_answer, answer) && answer()

  defp answer do
    FakeClient.answer(fn
      :get, "/v1/apps/shop", _opts ->
        {:ok, :persistent_term.get(:rest_test_status)}

      :stream, "/v1/events", _opts ->
        [{:app, :persistent_term.get(:rest_test_status)}]

      :post, "/v1/apps/shop/slots/blue/rest", opts ->
        :persistent_term.get(:rest_test_answer).(opts[:body])
    end)
  end

  defp said(rested, detail? \\ fn _detail -> true end) do
    assert_receive {:called, :post, "/v1/apps/shop/slots/blue/rest", opts}
    body = opts[:body]
    assert body.run == "run-7"
    if body.rested == rested and detail?.(body.detail), do: body, else: said(rested, detail?)
  end

  defp assert_said(rested) do
    assert_receive {:called, :post, "/v1/apps/shop/slots/blue/rest", opts}
    assert %{rested: ^rested, holds: false, run: "run-7"} = opts[:body]
  end

  defp refute_said(millis), do: refute_receive({:called, :post, _path, _opts}, millis)

  defp restart do
    Supervisor.terminate_child(Vial.Supervisor, Vial.Role)
    Vial.Role.forget()
    {:ok, pid} = Supervisor.restart_child(Vial.Supervisor, Vial.Role)
    :sys.get_state(pid)
    :ok
  end
end
