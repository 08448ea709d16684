defmodule Vial.StandbyDaemonTest do
  # The library in two releases of the shop, and a daemon that keeps the one that was left.
  use ExUnit.Case, async: false

  alias Vial.{Place, RealDaemon}

  @shops System.get_env("SHOP_OUT") || Path.expand("../../examples/shop/_build/releases", __DIR__)
  @first Path.join(@shops, "shop-14.tar.gz")
  @second Path.join(@shops, "shop-16.tar.gz")

  @moduletag :daemon
  @moduletag timeout: 240_000
  if !(File.regular?(@first) and File.regular?(@second)),
    do: @moduletag(skip: "Next: examples/shop/build 14 16")

  setup do
    Place.nowhere()

    daemon =
      RealDaemon.start(
        app: """
        standby = { mode = "frozen", for = "10m", rest = "10s" }
        migrate = "Shop.Release.migrate()"
        """,
        env: [SHOP_QUEUE_MS: 1_500]
      )

    on_exit(fn -> RealDaemon.stop(daemon) end)
    journal = Path.join(RealDaemon.shared(daemon.folder), "queue")
    {:ok, journal: journal, at: [app: "shop", socket: RealDaemon.socket(daemon), quiet: true]}
  end

  test "frozen between two jobs and never in one, and only one slot works at a time", context do
    %{at: at, journal: journal} = context
    assert {:ok, %{status: :succeeded}} = Vial.deploy(@first, at)
    works(at, :blue)
    jobs(journal, "blue", 1)

    for _round <- 1..10 do
      assert {:ok, %{status: :succeeded}} = Vial.deploy(@second, at)
      works(at, :green)
      state(at, :blue, :frozen)
      jobs(journal, "green", 2)

      assert {:ok, %{status: :succeeded}} = Vial.rollback(at)
      works(at, :blue)
      jobs(journal, "blue", 2)
    end

    apart(journal)
  end

  test "a release that was frozen for longer than any limit knows for how long", %{at: at} do
    assert {:ok, %{status: :succeeded}} = Vial.deploy(@first, at)
    assert {:ok, %{status: :succeeded}} = Vial.deploy(@second, at)
    state(at, :blue, :frozen)
    Process.sleep(7_000)
    assert {:ok, %{status: :succeeded}} = Vial.rollback(at)

    await(at, fn _status ->
      {:ok, log} = Vial.logs([slot: :blue] ++ Keyword.delete(at, :quiet))
      Enum.any?(log.lines, &(&1.text =~ ~r/Vial: this slot was frozen for \d+\.\d s\./))
    end)
  end

  test "from frozen to warm and back, as somebody asks for it", %{at: at, journal: journal} do
    assert {:ok, %{status: :succeeded}} = Vial.deploy(@first, at)
    assert {:ok, %{status: :succeeded}} = Vial.deploy(@second, at)
    status = state(at, :blue, :frozen)
    assert inspect(status) =~ ~r/idle blue frozen since \d\d:\d\d, until \d\d:\d\d \(v14/
    assert {:ok, plan} = Vial.plan(Keyword.delete(at, :quiet))
    assert inspect(plan) =~ ~r/Slot      blue; ready.*: frozen since/

    for _round <- 1..2 do
      assert {:ok, %Vial.Accepted{}} = Vial.standby(:warm, [for: 60_000] ++ at)
      await(at, &match?(%{standby: %{mode: :warm, ready: true}}, slot(&1, :blue)))
      refute_work(journal, "blue")
      assert {:ok, %Vial.Accepted{}} = Vial.standby(:frozen, at)
      state(at, :blue, :frozen)
    end

    assert {:ok, %Vial.Accepted{}} = Vial.standby(:cold, at)
    state(at, :blue, :stopped)
    # The release that a rollback would go to is started for it.
    assert {:ok, %Vial.Accepted{}} = Vial.standby(:frozen, at)
    state(at, :blue, :frozen)
    apart(journal)
  end

  defp works(at, slot), do: await(at, &(&1.works == slot))

  defp state(at, slot, state), do: await(at, &(slot(&1, slot).state == state))
  defp slot(status, slot), do: Enum.find(status.slots, &(&1.slot == slot))

  defp await(at, fun, left \\ 600) do
    {:ok, status} = Vial.status(Keyword.delete(at, :quiet))

    cond do
      fun.(status) ->
        status

      left == 0 ->
        flunk("it never came to be: #{inspect(status)} #{inspect(status.last)}")

      true ->
        Process.sleep(50) && await(at, fun, left - 1)
    end
  end

  # A job takes less than that.
  defp refute_work(journal, slot) do
    before = commits(journal, slot)
    Process.sleep(1_000)
    assert commits(journal, slot) == before
  end

  # Waits until a slot has done so many jobs more.
  defp jobs(journal, slot, more) do
    jobs(journal, slot, more + commits(journal, slot), 600)
  end

  defp jobs(journal, slot, wanted, left) do
    cond do
      commits(journal, slot) >= wanted -> :ok
      left == 0 -> flunk("#{slot} does not work: #{File.read!(journal)}")
      true -> Process.sleep(50) && jobs(journal, slot, wanted, left - 1)
    end
  end

  defp commits(journal, slot),
    do: Enum.count(events(journal), &match?({_, ^slot, _, "commit", _}, &1))

  # No job begins while another one is under way, in whichever slot: one that was frozen would be so
  # while the other slot works.
  defp apart(journal) do
    Enum.reduce(events(journal), nil, fn
      {time, slot, pid, "begin", number}, nil ->
        {time, slot, pid, number}

      {_time, slot, pid, "commit", number}, {_began, slot, pid, number} ->
        nil

      {_time, slot, pid, "abort", number}, {_began, slot, pid, number} ->
        nil

      event, open ->
        flunk("#{inspect(event)} while #{inspect(open)} is open")
    end)
  end

  defp events(journal) do
    text =
      case File.read(journal) do
        {:ok, text} -> text
        {:error, :enoent} -> ""
      end

    for line <- String.split(text, "\n", trim: true) do
      [time, slot, pid, event, number] = String.split(line, " ")
      {String.to_integer(time), slot, pid, event, number}
    end
  end
end
