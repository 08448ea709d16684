defmodule VialEcto.StandbySuite do
  # No connection in use, as a real pool and a real PostgreSQL see it.
  use ExUnit.Case
  import EctoGround
  alias EctoGround.{Other, Repo}

  @moduletag :capture_log

  setup do
    clean(VialEcto.Ground)
    start_supervised!(Repo)
    connected(Repo)
    :ok
  end

  test "a process that holds a transaction is waited for, and when it ends all are held" do
    busy = transaction(Repo)
    assert Vial.Ecto.hold(200) == {:error, "EctoGround.Repo has a connection checked out"}
    # What could be taken was given back.
    assert {:ok, _} = Repo.query("SELECT 1")

    send(busy, :commit)
    assert {:ok, hold} = Vial.Ecto.hold(5_000)
    assert [] = transactions()
    Vial.Ecto.release(hold)
  end

  test "nobody begins a transaction while all are held, and whoever waits gets through after that" do
    {:ok, hold} = Vial.Ecto.hold()
    waiting = Task.async(fn -> Repo.transaction(fn -> Repo.query!("SELECT 42").rows end) end)
    assert Task.yield(waiting, 300) == nil
    assert length(states()) == 4
    assert states() |> Enum.uniq() == ["idle"]
    assert transactions() == []
    Vial.Ecto.release(hold)
    assert Task.await(waiting) == {:ok, [[42]]}
  end

  test "whoever waited has a connection a moment after the release" do
    figures =
      for _ <- 1..50 do
        {:ok, hold} = Vial.Ecto.hold()

        waiting =
          Task.async(fn -> Repo.checkout(fn -> System.monotonic_time(:microsecond) end) end)

        Process.sleep(5)
        began = System.monotonic_time(:microsecond)
        Vial.Ecto.release(hold)
        Task.await(waiting) - began
      end

    assert figure("a connection, after the release", figures) < 50_000
  end

  test "they are given back as they were where the holder falls, and no connection is lost" do
    before = backends()
    test = self()

    holder =
      spawn(fn ->
        {:ok, _hold} = Vial.Ecto.hold()
        send(test, :held)
        Process.sleep(:infinity)
      end)

    assert_receive :held, 5_000
    Process.exit(holder, :kill)
    assert {:ok, %{rows: [[1]]}} = Repo.query("SELECT 1")
    assert {:ok, hold} = Vial.Ecto.hold()
    Vial.Ecto.release(hold)
    assert backends() == before
  end

  test "a repo without a name of its own and one with many pools are held too" do
    configure(Other, [pool_count: 2, pool_size: 3] ++ Application.get_env(:contract, Other))
    start_supervised!(Other)
    {:ok, dynamic} = Repo.start_link(name: nil, pool_size: 2)
    connected(Other)

    in_dynamic(dynamic)
    busy = transaction(Repo, fn -> in_dynamic(dynamic) end)
    assert Vial.Ecto.hold(200) == {:error, "EctoGround.Repo has a connection checked out"}
    send(busy, :commit)

    assert {:ok, hold} = Vial.Ecto.hold(5_000)
    assert length(hold.holders) == 4 + 2 * 3 + 2
    for _ <- 1..20, do: Task.async(fn -> refused(Other) end) |> Task.await()
    Vial.Ecto.release(hold)
  end

  test "a pool that cannot be held is named" do
    stop_supervised!(Repo)
    config = Application.get_env(:contract, Repo)
    configure(Repo, [pool: Ecto.Adapters.SQL.Sandbox] ++ config)
    start_supervised!(Repo)
    assert {:error, detail} = Vial.Ecto.hold()

    assert detail =~
             "the connections of EctoGround.Repo cannot be held: its pool is the SQL sandbox"
  end

  test "a repo that was stopped while it was held hurts nobody" do
    {:ok, hold} = Vial.Ecto.hold()
    stop_supervised!(Repo)
    Vial.Ecto.release(hold)
    assert {:ok, hold} = Vial.Ecto.hold()
    assert hold.holders == []
  end

  test "as a callback it waits until nothing is checked out" do
    busy = transaction(Repo)
    resting = Task.async(fn -> Vial.Ecto.standby() end)
    assert Task.yield(resting, 1_500) == nil
    send(busy, :commit)
    assert Task.await(resting) == :ok
    assert {:ok, _} = Repo.query("SELECT 1")
  end

  test "a node that is frozen meanwhile keeps every connection, and answers at once" do
    # Longer than any limit of the pool.
    stop_supervised!(Repo)
    limits = [timeout: 300, queue_target: 20, queue_interval: 100]
    configure(Repo, Keyword.merge(Application.get_env(:contract, Repo), limits))
    start_supervised!(Repo)
    connected(Repo)
    before = backends()

    figures =
      for _ <- 1..5 do
        {:ok, hold} = Vial.Ecto.hold()
        thawed = frozen(1_000)
        Vial.Ecto.release(hold)
        assert {:ok, %{rows: [[1]]}} = Repo.query("SELECT 1")
        System.os_time(:microsecond) - thawed
      end

    figure("a query's answer, after SIGCONT", figures)

    assert {:ok, hold} = Vial.Ecto.hold()
    Vial.Ecto.release(hold)
    assert backends() == before
  end

  # A process that is in a transaction until it is told to commit.
  defp transaction(repo, prepare \\ fn -> :ok end) do
    test = self()

    busy =
      spawn_link(fn ->
        prepare.()

        {:ok, _} =
          repo.transaction(fn ->
            repo.query!("SELECT 1")
            send(test, {:busy, self()})
            receive do: (:commit -> :ok)
          end)
      end)

    assert_receive {:busy, ^busy}, 5_000
    busy
  end

  defp in_dynamic(dynamic) do
    Repo.put_dynamic_repo(dynamic)
    Repo.query!("SELECT 1")
  end

  # Nobody gets a connection: the pool sends away whoever does not want to wait.
  defp refused(repo) do
    assert_raise DBConnection.ConnectionError, fn ->
      repo.checkout(fn -> :ok end, queue: false)
    end
  end

  # Stops this node as the daemon would, by SIGSTOP, for so many milliseconds; returns when it was
  # thawed.
  defp frozen(millis) do
    mark = Path.join(System.tmp_dir!(), "vial-thawed-#{System.pid()}")
    pid = System.pid()

    script =
      "(sleep 0.1; kill -STOP #{pid}; sleep #{millis / 1000}; date +%s%6N >#{mark}; kill -CONT #{pid}) " <>
        ">/dev/null 2>&1 &"

    {_, 0} = System.cmd("sh", ["-c", script])
    thawed(mark)
  end

  defp thawed(mark) do
    case File.read(mark) do
      {:ok, text} when text != "" ->
        File.rm(mark)
        text |> String.trim() |> String.to_integer()

      _not_yet ->
        Process.sleep(1)
        thawed(mark)
    end
  end

  # Every connection of the pool is there.
  defp connected(repo, left \\ 500) do
    count = VialEcto.Ground.connections(repo)
    wanted = repo.config()[:pool_size] * Keyword.get(repo.config(), :pool_count, 1)

    cond do
      count >= wanted -> :ok
      left == 0 -> flunk("#{count} of #{wanted} connections")
      true -> Process.sleep(10) && connected(repo, left - 1)
    end
  end

  defp states, do: for({_pid, state, _since} <- activity(), do: state)
  defp backends, do: for({pid, _state, _since} <- activity(), do: pid)
  defp transactions, do: for({_pid, _state, since} = row <- activity(), since != nil, do: row)
  defp activity, do: VialEcto.Ground.activity(Repo)

  defp figure(what, figures) do
    sorted = Enum.sort(figures)
    median = Enum.at(sorted, div(length(sorted), 2))
    IO.puts("  #{what}: median #{median} µs, at most #{List.last(sorted)} µs (#{length(sorted)})")
    median
  end
end
