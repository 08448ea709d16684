defmodule Vial.Role.Queue do
  @moduledoc false
  # The callbacks that are to be called, one after the other, and the one that runs. A plain value that
  # belongs to `Vial.Role`, which hands it the messages about the one that runs.

  alias Vial.Role.Job

  defstruct waiting: :queue.new(), running: nil, failed: %{}

  @typedoc "`failed` says of the callbacks for standby that did not end well how they ended."
  @type t :: %__MODULE__{
          waiting: :queue.queue({Job.t(), GenServer.from() | nil}),
          running: map | nil,
          failed: %{term => String.t()}
        }

  @doc "Whether nothing runs and nothing waits."
  @spec idle?(t) :: boolean
  def idle?(queue), do: queue.running == nil and :queue.is_empty(queue.waiting)

  @doc "Adds callbacks; whoever stands beside one is answered when it has ended."
  @spec add(t, [{Job.t(), GenServer.from() | nil}]) :: t
  def add(queue, entries),
    do: run_next(%{queue | waiting: Enum.reduce(entries, queue.waiting, &:queue.in/2)})

  @doc "Leaves out what has not begun, and forgets what failed."
  @spec drop(t) :: t
  def drop(queue) do
    for {_job, from} <- :queue.to_list(queue.waiting), from, do: GenServer.reply(from, :ok)
    %{queue | waiting: :queue.new(), failed: %{}}
  end

  @doc "The one that runs has ended, in this way."
  @spec ended(t, term) :: t
  def ended(%{running: %{job: job} = running} = queue, reason) do
    Process.cancel_timer(running.timer)
    Job.report(job, reason)
    if running.from, do: GenServer.reply(running.from, :ok)

    failed =
      case Job.trouble(job, reason) do
        trouble when trouble != nil and job.role == :standby ->
          Map.put(queue.failed, job.id, trouble)

        _well ->
          Map.delete(queue.failed, job.id)
      end

    run_next(%{queue | running: nil, failed: failed})
  end

  @doc "Ends the one that runs, which has taken too long."
  @spec overdue(t) :: t
  def overdue(%{running: running} = queue) do
    Process.demonitor(running.monitor, [:flush])
    Process.exit(running.pid, :kill)
    ended(queue, :limit)
  end

  defp run_next(%{running: nil} = queue) do
    case :queue.out(queue.waiting) do
      {{:value, {job, from}}, waiting} ->
        {pid, monitor} = Job.start(job)
        timer = Process.send_after(self(), {:limit, monitor}, job.timeout)
        running = %{job: job, from: from, pid: pid, monitor: monitor, timer: timer}
        %{queue | waiting: waiting, running: running}

      {:empty, _waiting} ->
        queue
    end
  end

  defp run_next(queue), do: queue
end
