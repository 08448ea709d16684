defmodule VialTest do
  # The environment is the whole node's.
  use ExUnit.Case, async: false

  import ExUnit.CaptureIO
  import Vial.Samples

  alias Vial.{Error, FakeClient, Place}

  doctest Vial, import: false

  setup do
    Place.nowhere()
    FakeClient.install()
  end

  describe "a node's place" do
    test "a node that Vial did not start has no app, no slot and no socket" do
      assert {Vial.app(), Vial.slot(), Vial.socket(), Vial.slot?()} == {nil, nil, nil, false}
    end

    test "a node that Vial started knows its place" do
      Place.in_slot("blue")

      assert {Vial.app(), Vial.slot(), Vial.socket(), Vial.slot?()} ==
               {"shop", :blue, "/run/vial/vial.sock", true}
    end

    test "a variable that is set to nothing is not set" do
      System.put_env(%{"VIAL_APP" => "", "VIAL_SLOT" => ""})
      assert {Vial.app(), Vial.slot()} == {nil, nil}
    end

    test "a slot that does not exist is refused by name" do
      System.put_env("VIAL_SLOT", "red")
      assert_raise ArgumentError, ~s(VIAL_SLOT must be blue or green, got: "red"), &Vial.slot/0
    end
  end

  describe "asking" do
    test "the node's own application and socket are meant where none is named" do
      Place.in_slot("green")
      FakeClient.answer(fn :get, _path, _opts -> {:ok, status()} end)
      assert {:ok, %Vial.Status{name: "shop"}} = Vial.status()
      assert_received {:called, :get, "/v1/apps/shop", opts}
      assert {opts[:socket], opts[:expect]} == {"/run/vial/vial.sock", :status}
    end

    test "another application and socket can be named, and odd names stay one part of the path" do
      FakeClient.answer(fn :get, _path, _opts -> {:ok, status()} end)
      assert {:ok, _status} = Vial.status(app: "a/../b", socket: "/tmp/s")
      assert_received {:called, :get, "/v1/apps/a%2F..%2Fb", opts}
      assert opts[:socket] == "/tmp/s"
    end

    test "an option that does not exist is named" do
      assert_raise ArgumentError, ~r/:ap\b/, fn -> Vial.status(ap: "shop") end
      assert_raise ArgumentError, ~r/:keep or :revert/, fn -> Vial.plan(migrations: :drop) end
    end

    test "what the daemon refuses comes back as it said it" do
      Place.in_slot("green")
      refusal = error(:nothing_to_roll_back_to, "There is no earlier release.")
      FakeClient.answer(fn :get, _path, _opts -> {:error, refusal} end)
      assert Vial.plan() == {:error, refusal}
    end

    test "a history can be counted and walked through" do
      Place.in_slot("green")
      FakeClient.answer(fn :get, _path, _opts -> {:ok, [deployment(2), deployment(1)]} end)
      assert {:ok, history} = Vial.history(limit: 2)
      assert Enum.count(history) == 2
      assert Enum.map(history, & &1.number) == [2, 1]
      assert_received {:called, :get, "/v1/apps/shop/deployments", opts}
      assert opts[:query] == [before: nil, limit: 2]
    end
  end

  describe "rolling back" do
    setup do
      Place.in_slot("green")
      FakeClient.answer(&daemon/3)
    end

    test "it shows the plan, goes by its digest, and follows the deployment to its end" do
      {answer, shown} = printing(fn -> Vial.rollback(reason: "500s") end)
      assert {:ok, %Vial.Deployment{number: 3, status: :succeeded}} = answer
      assert shown =~ "Roll back shop: v2.0.0 (#2) → v1.0.0 (#1)\n"
      assert shown =~ "Deploying  starting      861 ms\n"
      assert shown =~ "Rolled back: v1.0.0 serves"
      assert_received {:called, :post, "/v1/apps/shop/rollback", opts}
      assert %{digest: "d1g35t", reason: "500s", force: false, migrations: nil} = opts[:body]
      assert opts[:key] =~ ~r/\A[0-9a-f]{32}\z/
    end

    test "it says that this node is left before it asks for anything" do
      {_answer, shown} = printing(fn -> Vial.rollback() end)
      assert [before, behind] = String.split(shown, "This console is on green", parts: 2)
      assert before =~ "Database"
      assert behind =~ "it will be stopped\nwhen the requests in flight have ended."
      assert behind =~ "`vial status shop`"
      assert behind =~ "now the slot that this console is on drains, and is stopped."
    end

    test "it does not say so of a node in the other slot" do
      System.put_env("VIAL_SLOT", "blue")
      {_answer, shown} = printing(fn -> Vial.rollback() end)
      refute shown =~ "This console"
      assert shown =~ "now the other slot drains."
    end

    test "a destructive migration in the way changes nothing, and the call that decides is named" do
      FakeClient.answer(fn :get, "/v1/apps/shop/rollback", _opts ->
        {:ok, plan(migrations: [migration(20)], database: {:choose, [:keep, :revert]})}
      end)

      {answer, shown} = printing(fn -> Vial.rollback(to: 1) end)
      assert {:error, %Error{reason: :destructive} = error} = answer

      assert error.message ==
               "#2 drops users.name: v1.0.0 does not know it, and may fail on that schema. " <>
                 "v2.0.0 still serves. Nothing has changed."

      assert error.next ==
               "`Vial.rollback(to: 1, migrations: :revert)` reverts it first (users.name comes " <>
                 "back empty); `Vial.rollback(to: 1, migrations: :keep)` leaves the database as it is"

      assert shown =~ "Not rolled back: #2 drops users.name"
      refute_received {:called, :post, _path, _opts}
    end

    test "what cannot be reverted is not offered" do
      FakeClient.answer(fn :get, _path, _opts ->
        {:ok, plan(migrations: [migration(20)], database: {:choose, [:keep]})}
      end)

      assert {:error, %Error{next: next}} = Vial.rollback(quiet: true)

      assert next ==
               "it cannot be reverted; `Vial.rollback(migrations: :keep)` leaves the database as it is"
    end

    test "with the decision it goes" do
      assert {:ok, _} = Vial.rollback(migrations: :revert, quiet: true)
      assert_received {:called, :get, "/v1/apps/shop/rollback", asked}
      assert asked[:query] == [migrations: :revert]
      assert_received {:called, :post, "/v1/apps/shop/rollback", opts}
      assert opts[:body].migrations == :revert
    end

    test "without waiting it returns what was accepted" do
      assert {:ok, %Vial.Accepted{deployment: 3}} = Vial.rollback(wait: false, quiet: true)
      refute_received {:called, :stream, _path, _opts}
    end

    test "quiet prints nothing" do
      assert {_answer, ""} = printing(fn -> Vial.rollback(quiet: true) end)
    end

    test "a request whose connection broke is asked again with the same key" do
      {:ok, calls} = Agent.start_link(fn -> 0 end)

      FakeClient.answer(fn
        :post, path, opts ->
          if Agent.get_and_update(calls, &{&1, &1 + 1}) == 0,
            do: {:error, error(:disconnected)},
            else: daemon(:post, path, opts)

        method, path, opts ->
          daemon(method, path, opts)
      end)

      assert {:ok, _deployment} = Vial.rollback(quiet: true)
      assert_received {:called, :post, _path, first}
      assert_received {:called, :post, _path, second}
      assert first[:key] == second[:key]
    end

    test "a failure is returned with its log, and printed" do
      failure = %{
        error(:exited, "v2.0.0 still serves. v1.0.0 exited with status 1.")
        | log: ["boom"]
      }

      failed = deployment(3, kind: :rollback, status: :failed, error: failure, live_at: nil)

      FakeClient.answer(fn
        :stream, _path, _opts -> [{:app, status(last: failed)}]
        :get, "/v1/apps/shop/deployments/3", _opts -> {:ok, failed}
        method, path, opts -> daemon(method, path, opts)
      end)

      {answer, shown} = printing(fn -> Vial.rollback() end)
      assert answer == {:error, failure}

      assert shown =~
               "Not rolled back: v2.0.0 still serves. v1.0.0 exited with status 1.\n  │ boom\n"
    end
  end

  describe "waiting for a deployment" do
    setup do
      Place.in_slot("green")
    end

    test "until it is live" do
      FakeClient.answer(fn :stream, _path, _opts ->
        [{:app, status(deployment: deployment(7, status: :baking, steps: [step(:baking, 1)]))}]
      end)

      assert {:ok, %{status: :baking}} = Vial.await(%Vial.Accepted{deployment: 7}, until: :live)
    end

    test "no longer than it was told to" do
      going = deployment(7, status: :starting, steps: [step(:starting, 1)])
      FakeClient.answer(fn :stream, _path, _opts -> [{:app, status(deployment: going)}] end)
      assert {:error, %Error{reason: :timeout} = error} = Vial.await(7, timeout: 30)
      assert error.message =~ "Deployment #7 of shop goes on"
      assert FakeClient.streams() == []
    end

    test "past the rollback that takes it back" do
      taken = deployment(7, status: :rolled_back, rolled_back_by: 8)

      back =
        deployment(8,
          kind: :rollback,
          status: :switching,
          replaces: 7,
          steps: [step(:switching, 1)]
        )

      {:ok, settled} = Agent.start_link(fn -> deployment(7) end)

      FakeClient.answer(fn
        :stream, _path, _opts -> [{:app, status(deployment: back)}]
        :get, "/v1/apps/shop/deployments/7", _opts -> {:ok, Agent.get(settled, & &1)}
      end)

      waiting = Task.async(fn -> Vial.await(7) end)
      assert_receive {:called, :get, "/v1/apps/shop/deployments/7", _opts}
      assert Task.yield(waiting, 50) == nil
      Agent.update(settled, fn _ -> taken end)
      FakeClient.push({:app, status(last: taken)})

      assert {:error, %Error{message: "v7.0.0 was live until deployment #8 took it back."}} =
               Task.await(waiting)
    end
  end

  describe "a subscription" do
    setup do
      Place.in_slot("green")
      FakeClient.answer(fn :stream, _path, _opts -> [{:app, status()}] end)
    end

    test "tells the present status first, then every change" do
      assert {:ok, subscription} = Vial.subscribe()
      assert_receive {:vial, {:app, %Vial.Status{revision: 3}}}
      FakeClient.push({:app, status(revision: 4)})
      assert_receive {:vial, {:app, %Vial.Status{revision: 4}}}
      assert Vial.unsubscribe(subscription) == :ok
      assert FakeClient.streams() == []
    end

    test "outlives a restart of the daemon" do
      assert {:ok, _subscription} = Vial.subscribe()
      assert_receive {:vial, {:app, _status}}
      FakeClient.drop(error(:disconnected))
      assert_receive {:vial, {:lost, %Error{reason: :disconnected}}}
      assert_receive {:vial, :back}
      assert_receive {:vial, {:app, _status}}
    end

    test "ends with the process that made it" do
      subscriber = spawn(fn -> {:ok, _} = Vial.subscribe() end)
      monitor = Process.monitor(subscriber)
      assert_receive {:DOWN, ^monitor, :process, _pid, :normal}
      eventually(fn -> FakeClient.streams() == [] end)
    end
  end

  test "a followed log is read on where it was, after the daemon's restart" do
    Place.in_slot("green")

    log = fn text, cursor ->
      {:log, %Vial.Log{slot: :green, lines: [%Vial.Log.Line{at: 0, text: text}], cursor: cursor}}
    end

    FakeClient.answer(fn :stream, _path, opts ->
      case opts[:query][:cursor] do
        nil -> [log.("first\e[2J", 10)]
        10 -> [log.("second", 20)]
        20 -> {:error, error(:forbidden, "No more.")}
      end
    end)

    following =
      Task.async(fn ->
        with_io(fn -> capture_io(:stderr, fn -> send(self(), Vial.logs(follow: true)) end) end)
      end)

    assert_receive {:called, :stream, "/v1/apps/shop/logs", _opts}
    assert_receive {:more, _ref, 1}
    FakeClient.drop(error(:disconnected))
    assert_receive {:more, _ref, 1}
    FakeClient.drop(error(:disconnected))
    {complaints, printed} = Task.await(following)
    assert printed == "first\nsecond\n"
    assert complaints =~ "connection to the daemon lost"
    assert_received {:called, :stream, "/v1/apps/shop/logs", opts}
    assert opts[:query] == [slot: :green, cursor: 10, follow: true]
  end

  # A daemon whose rollback succeeds at once.
  defp daemon(:get, "/v1/apps/shop/rollback", _opts), do: {:ok, plan()}

  defp daemon(:post, "/v1/apps/shop/rollback", _opts),
    do: {:ok, %Vial.Accepted{deployment: 3, message: "Rolling back."}}

  defp daemon(:get, "/v1/apps/shop/deployments/3", _opts), do: {:ok, rolled_back()}

  defp daemon(:stream, "/v1/events", _opts) do
    draining = %{
      rolled_back()
      | status: :draining,
        steps: Enum.take(rolled_back().steps, 2),
        ended_at: nil
    }

    [{:app, status(deployment: draining)}, {:app, status(last: rolled_back())}]
  end

  defp rolled_back do
    steps = [step(:starting, 861), step(:switching, 4), step(:draining, 99)]
    deployment(3, kind: :rollback, slot: :blue, release: release(1), steps: steps)
  end

  defp printing(fun) do
    {answer, shown} = with_io(fun)
    {answer, shown}
  end

  defp eventually(fun, left \\ 1_000) do
    cond do
      fun.() -> :ok
      left == 0 -> flunk("it never came to be")
      true -> Process.sleep(10) && eventually(fun, left - 1)
    end
  end
end
