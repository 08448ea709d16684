defmodule Vial.Role.Report do
  @moduledoc false
  # Says to the daemon whether this release is at rest: whether it works queues and timers, or every
  # callback for standby has ended well.
  #
  # Only the last word counts, and it goes with the revision of the status that it speaks of: a daemon
  # that has just told this slot to rest must not take an older word for the answer. One that the daemon knows already is not repeated, except where the
  # daemon was away; details alone are told once a second at most. Where Vial did not start this node
  # nothing is said, nor where the native library is missing.

  use GenServer

  alias Vial.{API, Feed}

  @limit 5_000
  @again 1_000
  @between 1_000
  # How long somebody waits for his word to arrive, before he goes on all the same.
  @patience 1_500

  @type word :: {rested :: boolean, detail :: String.t() | nil}

  @spec start_link(term) :: GenServer.on_start()
  def start_link(_arg), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc "Says it soon, of the status with this revision."
  @spec say(boolean, String.t() | nil, non_neg_integer | nil) :: :ok
  def say(rested, detail, revision),
    do: GenServer.cast(__MODULE__, {:say, {rested, detail}, revision})

  @doc "Says it, and waits until it has arrived; not for long where the daemon does not answer."
  @spec say_now(boolean) :: :ok
  def say_now(rested) do
    GenServer.call(__MODULE__, {:say, {rested, nil}}, @patience)
  catch
    :exit, _late -> :ok
  end

  @doc "Says no more for now; returns when nothing of before is under way."
  @spec hush() :: :ok
  def hush do
    GenServer.call(__MODULE__, :hush, :infinity)
  catch
    :exit, _gone -> :ok
  end

  @doc "Somebody else says this."
  @spec said(boolean) :: :ok
  def said(rested), do: GenServer.cast(__MODULE__, {:said, {rested, nil}})

  @doc """
  Says the last word again, of the status with this revision: the daemon was away, or another slot is
  to work than before.
  """
  @spec again(non_neg_integer | nil) :: :ok
  def again(revision), do: GenServer.cast(__MODULE__, {:again, revision})

  @doc "Forgets what was said."
  @spec forget() :: :ok
  def forget, do: GenServer.cast(__MODULE__, :forget)

  @impl true
  def init(nil), do: {:ok, fresh()}

  defp fresh, do: %{wanted: nil, said: nil, revision: nil, at: nil, timer: nil}

  @impl true
  def handle_cast({:say, word, revision}, state),
    do: {:noreply, soon(%{state | wanted: word, revision: revision})}

  def handle_cast({:said, word}, state),
    do: {:noreply, %{cancel(state) | wanted: word, said: word, at: now()}}

  def handle_cast({:again, revision}, state),
    do: {:noreply, soon(%{state | said: nil, at: nil, revision: revision})}

  def handle_cast(:forget, state) do
    cancel(state)
    {:noreply, fresh()}
  end

  @impl true
  def handle_call({:say, word}, _from, state),
    do: {:reply, :ok, tell(%{cancel(state) | wanted: word})}

  def handle_call(:hush, _from, state),
    do: {:reply, :ok, %{cancel(state) | wanted: state.said}}

  @impl true
  def handle_info(:tell, state), do: {:noreply, tell(%{state | timer: nil})}
  def handle_info(_other, state), do: {:noreply, state}

  # What was said meanwhile stands before this message in the mailbox: only the last is told.
  defp soon(%{wanted: wanted, said: wanted} = state), do: cancel(state)
  defp soon(state), do: later(cancel(state), pause(state))

  defp pause(%{wanted: {rested, _}, said: {rested, _}, at: at}) when at != nil,
    do: max(at + @between - now(), 0)

  defp pause(_state), do: 0

  defp later(state, pause), do: %{state | timer: Process.send_after(self(), :tell, pause)}

  defp cancel(%{timer: nil} = state), do: state

  defp cancel(state) do
    Process.cancel_timer(state.timer)
    %{state | timer: nil}
  end

  defp tell(%{wanted: said, said: said} = state), do: state
  defp tell(%{wanted: nil} = state), do: state

  defp tell(%{wanted: {rested, detail} = word} = state) do
    case post(rested, detail, state.revision) do
      {:error, error} ->
        # A daemon that refuses knows nothing of this, or of this run: it is not asked again.
        if Feed.passing?(error),
          do: later(state, @again),
          else: %{state | said: word, at: now()}

      _heard_or_outside ->
        %{state | said: word, at: now()}
    end
  end

  defp post(rested, detail, revision) do
    with run when is_binary(run) <- run() do
      body = %{run: run, revision: revision, rested: rested, holds: false, detail: detail}
      API.say("/rest", :rested, body, @limit)
    end
  end

  @doc "Which start of this slot this is; `nil` where Vial did not start this node."
  @spec run() :: String.t() | nil
  def run do
    place? = Vial.app() != nil and Vial.socket() != nil
    run = System.get_env("VIAL_RUN")

    if place? and System.get_env("VIAL_SLOT") in ["blue", "green"] and run not in [nil, ""],
      do: run
  end

  defp now, do: System.monotonic_time(:millisecond)
end
