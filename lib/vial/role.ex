defmodule Vial.Role do
  @moduledoc false
  # Whether this node's slot is the one that works, what is to be called when that changes, and what
  # the daemon is told of it.
  #
  #     active ──(another slot works, or none yet)──▶ standby ──(it shall be frozen)──▶ resting
  #     active ◀──(this slot works)────────────────── standby ◀──(thawed, or not)────── resting
  #
  # The traffic moves in an instant, the work only when the slot that had it came to rest: between the
  # two no slot works. A node that Vial did not start is active from the beginning: in development all
  # shall work. A node that Vial started stands by until the daemon says that its slot works. Where the
  # daemon goes away later, what it said last holds. Where the native library is missing the daemon can
  # never be asked: then the node is active, as it would be without Vial.
  #
  # Callbacks run one after the other, each in a process of its own with a limit: see `Vial.Role.Queue`
  # and `Vial.Role.Job`. What has not begun when the role changes again is left out. `Vial.Role.Report`
  # tells the daemon, `Vial.Role.Rest` is what a resting slot does.

  use GenServer

  require Logger

  alias Vial.{API, Error, Feed}
  alias Vial.Role.{Job, Queue, Report, Rest}

  @type role :: :active | :standby
  @type callback :: (() -> any) | {module, atom, [term]} | module

  @role {__MODULE__, :role}
  @callbacks {__MODULE__, :callbacks}
  @begun {__MODULE__, :begun}

  # How long the first answer of the daemon is waited for before callbacks are run.
  @first_answer 2_000
  # A daemon that refused is asked again after this.
  @after_refusal 30_000
  # Where this process fell soon after it began, it begins this much later.
  @begin_again 1_000
  # While the node's applications are being started not all callbacks are registered.
  @look_again 100
  # What came to rest fell over, or got no answer: it is tried again after this.
  @rest_again 1_000

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
    :persistent_term.erase(@begun)
    :ok
  end

  @impl true
  def init(nil) do
    # What was known and registered is kept outside, so that it is not forgotten where this process
    # falls.
    state = %{
      role: :persistent_term.get(@role, if(managed?(), do: :standby, else: :active)),
      jobs: :persistent_term.get(@callbacks, []),
      feed: nil,
      queue: %Queue{},
      # Which rest the daemon wants of this slot, the process that comes to it, and which is over.
      resting: nil,
      rest: nil,
      over: nil,
      # The status that was heard last, and whether the daemon was away before it.
      revision: nil,
      works: nil,
      back: false,
      looks: false
    }

    Report.forget()

    :persistent_term.put(@role, state.role)
    now = System.monotonic_time(:millisecond)
    before = :persistent_term.get(@begun, nil)
    :persistent_term.put(@begun, now)

    if before && now - before < @begin_again do
      Process.send_after(self(), :begin, @begin_again)
      {:ok, state}
    else
      {:ok, state, {:continue, :begin}}
    end
  end

  @impl true
  def handle_continue(:begin, state), do: {:noreply, begin(state)}

  @impl true
  def handle_call({:register, job, wait?}, from, state) do
    jobs = Enum.reject(state.jobs, &(&1.id == job.id)) ++ [job]
    :persistent_term.put(@callbacks, jobs)
    state = %{state | jobs: jobs}

    cond do
      job.role != state.role or (job.after == :drain and state.resting == nil) ->
        {:reply, :ok, state}

      wait? ->
        {:noreply, enqueue(state, [{job, from}])}

      true ->
        {:reply, :ok, enqueue(state, [{job, nil}])}
    end
  end

  @impl true
  def handle_info({Feed, ref, told}, %{feed: %{ref: ref}} = state) do
    case told do
      {:event, event} ->
        Feed.more(state.feed)
        {:noreply, heard(event, state)}

      # For a node that was frozen everybody else was away.
      {:lost, %{reason: :timeout} = error} when state.resting != nil ->
        Logger.debug("Vial: #{error.message}")
        {:noreply, state}

      {:lost, error} ->
        Logger.warning("Vial: #{error.message} This node stays #{word(state.role)} meanwhile.")
        {:noreply, state}

      :back ->
        Logger.info("Vial: the daemon is back.")
        {:noreply, %{state | back: true}}

      {:ended, error} ->
        Logger.warning("Vial: #{error.message} This node stays #{word(state.role)} meanwhile.")
        Process.send_after(self(), :open, @after_refusal)
        {:noreply, %{state | feed: nil}}
    end
  end

  def handle_info(:begin, state), do: {:noreply, begin(state)}
  def handle_info(:open, state), do: {:noreply, open(%{state | feed: nil})}

  def handle_info(
        {:DOWN, monitor, :process, _pid, reason},
        %{queue: %{running: %{monitor: monitor}}} = state
      ),
      do: {:noreply, settle(%{state | queue: Queue.ended(state.queue, reason)})}

  def handle_info({:DOWN, monitor, :process, pid, reason}, %{rest: {pid, monitor}} = state),
    do: {:noreply, rested(reason, %{state | rest: nil})}

  # The feed fell without a word.
  def handle_info({:DOWN, _monitor, :process, pid, _reason}, %{feed: %{pid: pid}} = state) do
    Process.send_after(self(), :open, 1_000)
    {:noreply, %{state | feed: nil}}
  end

  def handle_info({:limit, monitor}, %{queue: %{running: %{monitor: monitor}}} = state),
    do: {:noreply, settle(%{state | queue: Queue.overdue(state.queue)})}

  def handle_info(:settle, state), do: {:noreply, settle(%{state | looks: false})}

  def handle_info({:rest_again, resting}, %{over: resting} = state),
    do: {:noreply, settle(%{state | over: nil})}

  def handle_info(_other, state), do: {:noreply, state}

  # What the daemon says

  # A slot that does not exist is told to whoever asks for it, and hinders no application's start.
  defp managed? do
    Vial.socket() != nil and Vial.app() != nil and
      System.get_env("VIAL_SLOT") in ["blue", "green"]
  end

  defp begin(state) do
    state = if managed?(), do: ask_first(state), else: state
    enter(state)
  end

  defp ask_first(state) do
    case API.get([timeout: @first_answer], "", :status) do
      {:ok, status} ->
        state = become(seen(status, state), role_in(status))
        open(%{state | resting: resting_in(status)})

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
    role = role_in(status)
    anew? = state.back or status.works != state.works
    state = seen(status, state)

    state =
      cond do
        role != state.role ->
          Report.forget()
          state |> become(role) |> leave() |> enter()

        anew? ->
          Report.again(state.revision)
          state

        true ->
          state
      end

    rest(resting_in(status), state)
  end

  defp heard(_other, state), do: state

  defp seen(status, state),
    do: %{state | revision: status.revision, works: status.works, back: false}

  defp become(state, role) do
    :persistent_term.put(@role, role)
    %{state | role: role}
  end

  defp role_in(status), do: if(status.works == Vial.slot(), do: :active, else: :standby)

  # Since when it is to rest tells one rest from the next.
  defp resting_in(status) do
    case Enum.find(status.slots, &(&1.slot == Vial.slot())) do
      %{state: :resting, standby: standby} -> {:resting, standby && standby.since}
      _other -> nil
    end
  end

  defp word(:active), do: "active"
  defp word(:standby), do: "on standby"

  # What is called

  defp leave(state), do: end_rest(%{state | queue: Queue.drop(state.queue), over: nil})

  # It is said before anything works, so that nobody takes an older word for the present.
  defp enter(%{role: :active} = state) do
    said = if Report.run(), do: [Job.new(:active, {Report, :say_now, [false]}, [])], else: []
    enqueue(state, for(job <- said ++ jobs(state, nil), do: {job, nil}))
  end

  defp enter(%{role: :standby} = state) do
    jobs = jobs(state, nil)
    if jobs != [], do: Report.say(false, "its callbacks for standby are called", state.revision)
    enqueue(state, for(job <- jobs ++ drained(state), do: {job, nil}))
  end

  # What was built up in one order is taken down in the other.
  defp jobs(%{role: role} = state, time) do
    jobs = for job <- state.jobs, job.role == role and job.after == time, do: job
    if role == :standby, do: Enum.reverse(jobs), else: jobs
  end

  defp drained(%{resting: nil}), do: []
  defp drained(state), do: jobs(state, :drain)

  defp enqueue(state, entries), do: settle(%{state | queue: Queue.add(state.queue, entries)})

  # How it comes to rest

  defp rest(resting, %{resting: resting} = state), do: state
  defp rest(nil, state), do: settle(end_rest(%{state | resting: nil}))

  # What did not end well before may do so now.
  defp rest(resting, state) do
    state = end_rest(%{state | resting: resting})
    failed = for job <- jobs(state, nil), is_map_key(state.queue.failed, job.id), do: job
    enqueue(state, for(job <- failed ++ drained(state), do: {job, nil}))
  end

  defp end_rest(%{rest: nil} = state), do: state

  defp end_rest(state) do
    Rest.stop(state.rest)
    %{state | rest: nil}
  end

  # What can be said and done once every callback has ended.
  defp settle(%{role: :standby, rest: nil} = state) do
    run = Report.run()

    cond do
      run == nil or not Queue.idle?(state.queue) ->
        state

      not started?() ->
        if not state.looks, do: Process.send_after(self(), :settle, @look_again)
        %{state | looks: true}

      state.queue.failed != %{} ->
        Report.say(false, Enum.join(Map.values(state.queue.failed), "; "), state.revision)
        state

      state.resting == nil or state.resting == state.over ->
        Report.say(true, nil, state.revision)
        state

      true ->
        Report.say(true, nil, state.revision)
        callbacks = for job <- jobs(state, nil) ++ jobs(state, :drain), do: job.callback
        %{state | rest: Rest.start(run, state.revision, callbacks)}
    end
  end

  defp settle(state), do: state

  # A release registers its callbacks while its applications are started.
  defp started?, do: match?({_internal, :started}, :init.get_status())

  # What is in the feed of before it was frozen names the same rest: it is not begun again.
  defp rested({:shutdown, ended}, state) when ended in [:frozen, :refused],
    do: %{state | over: state.resting}

  defp rested(reason, state) do
    if reason != {:shutdown, :late},
      do: Logger.error("Vial: this slot could not come to rest: #{inspect(reason)}")

    Process.send_after(self(), {:rest_again, state.resting}, @rest_again)
    %{state | over: state.resting}
  end
end
