defmodule Shop.Queue do
  @moduledoc """
  Work beside the requests, of which only one slot may do any at a time: a queue that takes one job
  after the other, each of which is a transaction that stays open for a while.

  It runs where `SHOP_QUEUE` names a file, and writes there what happens to each job, a line each:

      1767225600123456 blue 4711 begin 17

  That is the time in microseconds, the slot (`-` outside one), the process id of this node, the event
  (`begin`, `commit`, or `abort` where the node was told to end meanwhile) and the number of the job.
  Each line is one write to a file that is opened for appending, so that two slots can share it. A job
  takes `SHOP_QUEUE_MS` (2000) milliseconds.

  In the versions with the library `:vial` inside it works while its slot is the one that works: Vial
  calls `standby/0` and `active/0`. In the others nobody tells it, and it works from its start on.
  """
  use GenServer

  # Everything that is under way may take as long as a job.
  @patience :infinity

  @doc "What the application starts: the queue, where a file is named for it."
  def children, do: if(path(), do: [__MODULE__], else: [])

  @doc "Lets Vial stop it and let it go on, where the release has the library."
  def register do
    if path() && managed?() do
      apply(Vial, :on_standby, [__MODULE__])
      apply(Vial, :on_active, [__MODULE__])
    end

    :ok
  end

  @doc "Takes no more jobs, and returns when the one in hand has ended."
  def standby, do: GenServer.call(__MODULE__, :standby, @patience)

  @doc "Takes jobs."
  def active, do: GenServer.call(__MODULE__, :active)

  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @impl true
  def init(nil) do
    # So that a job in hand is told of when the node ends.
    Process.flag(:trap_exit, true)
    {:ok, file} = :file.open(path(), [:append, :raw])

    state = %{
      file: file,
      place: "#{Shop.slot() || "-"} #{System.pid()}",
      millis: String.to_integer(System.get_env("SHOP_QUEUE_MS", "2000")),
      takes: not managed?(),
      number: 0,
      ends: nil,
      waits: []
    }

    {:ok, take(state)}
  end

  @impl true
  def handle_call(:active, _from, state), do: {:reply, :ok, take(%{state | takes: true})}

  def handle_call(:standby, _from, %{ends: nil} = state),
    do: {:reply, :ok, %{state | takes: false}}

  def handle_call(:standby, from, state),
    do: {:noreply, %{state | takes: false, waits: [from | state.waits]}}

  @impl true
  def handle_info({:ends, number}, %{number: number} = state) do
    write(state, "commit")
    for from <- state.waits, do: GenServer.reply(from, :ok)
    {:noreply, take(%{state | ends: nil, waits: []})}
  end

  def handle_info(_other, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state), do: if(state.ends, do: write(state, "abort"))

  defp take(%{takes: true, ends: nil} = state) do
    state = %{state | number: state.number + 1}
    write(state, "begin")
    %{state | ends: Process.send_after(self(), {:ends, state.number}, state.millis)}
  end

  defp take(state), do: state

  defp write(state, event) do
    line = "#{System.os_time(:microsecond)} #{state.place} #{event} #{state.number}\n"
    :ok = :file.write(state.file, line)
  end

  defp managed?, do: Code.ensure_loaded?(Vial)

  # What is set to nothing counts as not set.
  defp path do
    case System.get_env("SHOP_QUEUE") do
      none when none in [nil, ""] -> nil
      path -> path
    end
  end
end
