defmodule Vial.Role do
  @moduledoc false
  # Whether this node's slot has the traffic, and what is to be called when that changes.
  #
  #     active ──(the route names the other slot)──▶ standby
  #     active ◀──(the route names this slot)─────── standby
  #
  # A node that Vial did not start is active from the beginning: in development all shall work. A
  # node that Vial started stands by until the daemon says that its slot is active. Where the daemon
  # goes away later, what it said last holds. Where the native library is missing the daemon can
  # never be asked: then the node is active, as it would be without Vial.
  #
  # Callbacks run one after the other, each in a process of its own with a limit: see `Vial.Role.Job`.
  # What has not begun when the role changes again is left out.

  use GenServer

  require Logger

  alias Vial.{API, Error, Feed}
  alias Vial.Role.Job

  @type role :: :active | :standby
  @type callback :: (() -> any) | {module, atom, [term]} | module

  @role {__MODULE__, :role}
  @callbacks {__MODULE__, :callbacks}

  # How long the first answer of the daemon is waited for before callbacks are run.
  @first_answer 2_000
  # A daemon that refused is asked again after this.
  @after_refusal 30_000

  @spec start_link(term) :: GenServer.on_start()
  def start_link(_arg), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc "Whether this node's slot is active, as far as is known."
  @spec active?() :: boolean
  def active? do
    case :persistent_term.get(@role, nil) do
      nil -> not managed?()
      role -> role == :active
    end
  end

  @doc "Registers a callback, and runs it where it is its time; see `Vial.on_active/2`."
  @spec register(role, callback, keyword) :: :ok
  def register(role, callback, opts) do
    job = Job.new(role, callback, opts)
    wait? = Keyword.get(opts, :wait, true) and not Job.inside?()

    cond do
      Process.whereis(__MODULE__) ->
        GenServer.call(__MODULE__, {:register, job, wait?}, :infinity)

      # Vial's application was not started: nobody can tell of changes, and the present is all.
      active?() == (role == :active) ->
        Job.run_here(job)

      true ->
        :ok
    end
  end

  @doc "Forgets all callbacks."
  @spec forget() :: :ok
  def forget do
    :persistent_term.erase(@role)
    :persistent_term.erase(@callbacks)
    :ok
  end

  @impl true
  def init(nil) do
    role = if managed?(), do: :standby, else: :active

    state = %{
      role: role,
      feed: nil,
      # Kept outside, so that they are not forgotten where this process falls.
      jobs: :persistent_term.get(@callbacks, []),
      waiting: :queue.new(),
      running: nil
    }

    :persistent_term.put(@role, role)
    {:ok, state, {:continue, :begin}}
  end

  @impl true
  def handle_continue(:begin, state) do
    state = if managed?(), do: ask_first(state), else: state
    {:noreply, state |> enqueue_all() |> run_next()}
  end

  @impl true
  def handle_call({:register, job, wait?}, from, state) do
    jobs = Enum.reject(state.jobs, &(&1.id == job.id)) ++ [job]
    :persistent_term.put(@callbacks, jobs)
    state = %{state | jobs: jobs}

    cond do
      job.role != state.role ->
        {:reply, :ok, state}

      wait? ->
        {:noreply, state |> enqueue([{job, from}]) |> run_next()}

      true ->
        {:reply, :ok, state |> enqueue([{job, nil}]) |> run_next()}
    end
  end

  @impl true
  def handle_info({Feed, ref, told}, %{feed: %{ref: ref}} = state) do
    case told do
      {:event, event} ->
        Feed.more(state.feed)
        {:noreply, heard(event, state)}

      {:lost, error} ->
        Logger.warning("Vial: #{error.message} This node stays #{word(state.role)} meanwhile.")
        {:noreply, state}

      :back ->
        Logger.info("Vial: the daemon is back.")
        {:noreply, state}

      {:ended, error} ->
        Logger.warning("Vial: #{error.message} This node stays #{word(state.role)} meanwhile.")
        Process.send_after(self(), :open, @after_refusal)
        {:noreply, %{state | feed: nil}}
    end
  end

  def handle_info(:open, state), do: {:noreply, open(%{state | feed: nil})}

  def handle_info(
        {:DOWN, monitor, :process, _pid, reason},
        %{running: %{monitor: monitor}} = state
      ) do
    {:noreply, ended(reason, state)}
  end

  # The feed fell without a word.
  def handle_info({:DOWN, _monitor, :process, pid, _reason}, %{feed: %{pid: pid}} = state) do
    Process.send_after(self(), :open, 1_000)
    {:noreply, %{state | feed: nil}}
  end

  def handle_info({:limit, monitor}, %{running: %{monitor: monitor} = running} = state) do
    Process.demonitor(monitor, [:flush])
    Process.exit(running.pid, :kill)
    {:noreply, ended(:limit, state)}
  end

  def handle_info(_other, state), do: {:noreply, state}

  # What the daemon says

  defp managed?, do: Vial.socket() != nil and Vial.app() != nil and Vial.slot?()

  defp ask_first(state) do
    case API.get([timeout: @first_answer], "", :status) do
      {:ok, status} ->
        open(become(state, role_in(status)))

      {:error, %Error{reason: :not_loaded} = error} ->
        Logger.warning(
          "Vial: #{error.message} Whether this slot is active cannot be known: it counts as active."
        )

        become(state, :active)

      {:error, %Error{}} ->
        open(state)
    end
  end

  defp open(state) do
    case Feed.open({:status, Vial.app()}, patient: true) do
      {:ok, feed} ->
        Process.monitor(feed.pid)
        %{state | feed: feed}

      {:error, error} ->
        Logger.warning("Vial: #{error.message}")
        Process.send_after(self(), :open, @after_refusal)
        state
    end
  end

  defp heard({:app, status}, state) do
    case role_in(status) do
      role when role == state.role -> state
      role -> state |> become(role) |> drop_waiting() |> enqueue_all() |> run_next()
    end
  end

  defp heard(_other, state), do: state

  defp become(state, role) do
    :persistent_term.put(@role, role)
    %{state | role: role}
  end

  defp role_in(status), do: if(status.active == Vial.slot(), do: :active, else: :standby)

  defp word(:active), do: "active"
  defp word(:standby), do: "on standby"

  # What is called

  # What was built up in one order is taken down in the other.
  defp enqueue_all(%{role: role, jobs: jobs} = state) do
    jobs = for job <- jobs, job.role == role, do: {job, nil}
    enqueue(state, if(role == :standby, do: Enum.reverse(jobs), else: jobs))
  end

  defp enqueue(state, entries),
    do: %{state | waiting: Enum.reduce(entries, state.waiting, &:queue.in/2)}

  defp drop_waiting(state) do
    for {_job, from} <- :queue.to_list(state.waiting), from, do: GenServer.reply(from, :ok)
    %{state | waiting: :queue.new()}
  end

  defp run_next(%{running: nil} = state) do
    case :queue.out(state.waiting) do
      {{:value, {job, from}}, waiting} ->
        {pid, monitor} = Job.start(job)
        timer = Process.send_after(self(), {:limit, monitor}, job.timeout)
        running = %{job: job, from: from, pid: pid, monitor: monitor, timer: timer}
        %{state | waiting: waiting, running: running}

      {:empty, _waiting} ->
        state
    end
  end

  defp run_next(state), do: state

  defp ended(reason, %{running: running} = state) do
    Process.cancel_timer(running.timer)
    Job.report(running.job, reason)
    if running.from, do: GenServer.reply(running.from, :ok)
    run_next(%{state | running: nil})
  end
end
