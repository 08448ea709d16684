defmodule Vial.Role.Rest do
  @moduledoc false
  # Brings this node to a rest in which it can be frozen, asks for that, and is there when it is thawed.
  #
  #     Oban is still ─▶ every connection is held ─▶ no other node is connected ─▶ the daemon is asked
  #          ▲                    │                            │                          │
  #          └──── told, again ◀──┴────────────────────────────┘           thawed, or refused: released
  #
  # One process a rest, which is killed where the rest is over before it was frozen. All that it took is
  # given back by whoever holds it, however this process ends; it is linked to nobody who could fall
  # with it.

  require Logger

  alias Vial.{API, Error, Feed}
  alias Vial.Role.Report

  # How long the daemon may take to freeze this node: so many ticks, each of so many milliseconds. A
  # clock would count the time in which it is frozen too.
  @ticks 50
  @tick 100
  # A tick that took so long was one in which this node was frozen.
  @stopped 1_000
  # What is not at rest yet is looked at again after this.
  @pause 100
  # The daemon would not, or could not be asked.
  @ask_again 500
  @alone 500

  @typedoc """
  How a rest ended: it was frozen meanwhile, the daemon knows of no such thing, or it did not answer.
  """
  @type ended :: :frozen | :refused | :late

  @doc """
  Begins, for the calling process: in this run of the slot, because of the status with this revision.
  The callbacks are those for standby. It ends with `{:shutdown, ended}`.
  """
  @spec start(String.t(), non_neg_integer | nil, [Vial.Role.callback()]) :: {pid, reference}
  def start(run, revision, callbacks) do
    role = self()

    spawn_monitor(fn ->
      spawn_link(fn -> end_with(role) end)
      rest = %{run: run, revision: revision, callbacks: callbacks, since: nil, keeper: nil}
      exit({:shutdown, attempt(rest)})
    end)
  end

  @doc "Ends it at once."
  @spec stop({pid, reference}) :: :ok
  def stop({pid, monitor}) do
    Process.demonitor(monitor, [:flush])
    Process.exit(pid, :kill)
    :ok
  end

  defp attempt(rest) do
    with :ok <- Vial.Oban.rest(rest.callbacks),
         # Before the connections are held: a word that is under way may take its time.
         :ok <- Report.hush(),
         {:ok, hold} <- Vial.Ecto.hold() do
      {rest, answer} =
        try do
          with {:ok, rest} <- alone(rest), do: {rest, ask(rest)}
        after
          Vial.Ecto.release(hold)
        end

      answered(answer, rest)
    else
      {:error, detail} -> waits(detail, rest)
    end
  end

  defp answered({:ok, %{frozen: true}}, _rest), do: :frozen
  defp answered({:ok, _not_frozen}, rest), do: later(@ask_again, rest)
  defp answered({:waits, detail}, rest), do: waits(detail, rest)

  defp answered({:error, %Error{} = error}, rest) do
    if Feed.passing?(error) do
      later(@ask_again, rest)
    else
      Logger.warning("Vial: this slot rests and is not frozen: #{error.message}")
      :refused
    end
  end

  defp waits(detail, rest) do
    now = System.monotonic_time(:millisecond)
    rest = if match?({^detail, _}, rest.since), do: rest, else: %{rest | since: {detail, now}}
    seconds = div(now - elem(rest.since, 1), 1_000)
    detail = if seconds > 0, do: "#{detail}, for #{seconds} s now", else: detail
    Report.say(false, detail, rest.revision)
    later(@pause, rest)
  end

  defp later(pause, rest) do
    Process.sleep(pause)
    attempt(rest)
  end

  defp ask(rest) do
    Report.said(true)
    body = %{run: rest.run, revision: rest.revision, rested: true, holds: true}
    witness = witness(self())
    answer = API.say("/rest", :rested, body, :infinity)
    send(witness, :answered)
    answer
  end

  # Ends a rest that nobody answers, and so takes its question back; and knows for how long this node
  # was frozen, whoever ended the rest then.
  defp witness(rest) do
    spawn(fn ->
      monitor = Process.monitor(rest)
      witness(rest, monitor, @ticks, System.monotonic_time(:millisecond))
    end)
  end

  defp witness(rest, _monitor, 0, _before), do: Process.exit(rest, {:shutdown, :late})

  defp witness(rest, monitor, ticks, before) do
    over? =
      receive do
        :answered -> true
        {:DOWN, ^monitor, :process, _rest, _reason} -> true
      after
        @tick -> false
      end

    now = System.monotonic_time(:millisecond)

    if now - before > @stopped,
      do: Logger.info("Vial: this slot was frozen for #{Vial.Look.took(now - before)}.")

    if not over?, do: witness(rest, monitor, ticks - 1, now)
  end

  # A node that is frozen keeps others waiting that send to it. Those that were left are looked for
  # again when this process has ended.
  defp alone(rest) do
    case Node.list([:visible, :hidden]) do
      [] ->
        {:ok, rest}

      nodes ->
        keeper = rest.keeper || keep(self())
        send(keeper, {:again, Node.list()})
        Enum.each(nodes, &Node.disconnect/1)
        left(%{rest | keeper: keeper}, System.monotonic_time(:millisecond) + @alone)
    end
  end

  defp left(rest, until) do
    case Node.list([:visible, :hidden]) do
      [] ->
        {:ok, rest}

      [node | _] ->
        if System.monotonic_time(:millisecond) < until do
          Process.sleep(5)
          left(rest, until)
        else
          {rest, {:waits, "it is still connected to the node #{node}"}}
        end
    end
  end

  defp keep(rest) do
    spawn(fn ->
      monitor = Process.monitor(rest)
      keep(monitor, [])
    end)
  end

  defp keep(monitor, nodes) do
    receive do
      {:again, more} -> keep(monitor, Enum.uniq(nodes ++ more))
      {:DOWN, ^monitor, :process, _rest, _reason} -> Enum.each(nodes, &Node.connect/1)
    end
  end

  defp end_with(role) do
    monitor = Process.monitor(role)

    receive do
      {:DOWN, ^monitor, :process, _role, _reason} -> exit(:shutdown)
    end
  end
end
