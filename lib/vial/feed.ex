defmodule Vial.Feed do
  @moduledoc false
  # A stream of events that outlives the daemon's restarts.
  #
  # It belongs to the process that opened it, and ends with that. The owner receives
  # `{Vial.Feed, ref, told}` and asks for more after each, so that a slow reader slows the daemon and
  # not its own mailbox. What a subscriber of `Vial.subscribe/1` receives is `{:vial, told}`.
  #
  #     {:event, event} ── an event of the daemon
  #     {:lost, error}  ── the connection ended; it is tried again until it comes back
  #     :back           ── it is back, and events go on
  #     {:ended, error} ── the daemon refused to go on: nothing follows

  use GenServer, restart: :temporary

  alias Vial.{API, Error}

  @enforce_keys [:pid, :ref]
  defstruct [:pid, :ref]

  @type t :: %__MODULE__{pid: pid, ref: reference}
  @type topic :: {:status, String.t()} | :all | {:log, String.t(), keyword}
  @type told :: {:event, term} | {:lost, Error.t()} | :back | {:ended, Error.t()}

  # The daemon is away, and nothing was refused: asking again may help.
  @passing [:unreachable, :timeout, :disconnected, :shutting_down]
  @first_pause 50
  @longest_pause 2_000

  @doc """
  Opens a feed for the calling process.

  With `patient: true` a daemon that is away is waited for from the beginning. With `plain: true`
  the owner receives `{:vial, told}` and need not ask for more.
  """
  @spec open(topic, keyword) :: {:ok, t} | {:error, Error.t()}
  def open(topic, opts) do
    ref = make_ref()

    # Not linked: the owner shall not fall with it. It watches the owner, and ends with it.
    case GenServer.start(__MODULE__, {self(), ref, topic, opts}) do
      {:ok, pid} -> {:ok, %__MODULE__{pid: pid, ref: ref}}
      {:error, {:shutdown, %Error{} = error}} -> {:error, error}
    end
  end

  @doc "Asks for the next event."
  @spec more(t) :: :ok
  def more(%__MODULE__{pid: pid}), do: GenServer.cast(pid, :more)

  @doc "Ends it. No message of it arrives afterwards."
  @spec close(t) :: :ok
  def close(%__MODULE__{pid: pid, ref: ref}) do
    try do
      GenServer.stop(pid)
    catch
      # It has ended already.
      :exit, _ -> :ok
    end

    flush(ref)
  end

  @doc "Whether asking again may help."
  @spec passing?(Error.t()) :: boolean
  def passing?(%Error{reason: reason}), do: reason in @passing

  defp flush(ref) do
    receive do
      {__MODULE__, ^ref, _told} -> flush(ref)
    after
      0 -> :ok
    end
  end

  @impl true
  def init({owner, ref, topic, opts}) do
    Process.monitor(owner)

    state = %{
      owner: owner,
      ref: ref,
      topic: topic,
      opts: opts,
      handle: nil,
      pause: @first_pause,
      away: false
    }

    case connect(state) do
      {:ok, state} -> {:ok, state}
      {:error, error} -> if opts[:patient], do: later(lost(error, state)), else: refuse(error)
    end
  end

  defp later({:noreply, state}), do: {:ok, state}
  defp later({:stop, _reason, state}), do: {:ok, state, {:continue, :stop}}
  defp refuse(error), do: {:stop, {:shutdown, error}}

  @impl true
  def handle_continue(:stop, state), do: {:stop, :normal, state}

  @impl true
  def handle_cast(:more, state) do
    if state.handle, do: API.client().more(state.handle, 1)
    {:noreply, state}
  end

  @impl true
  def handle_info({:vial, ref, what}, %{handle: %{ref: ref}} = state) do
    case what do
      {:event, event} ->
        if state.opts[:plain], do: API.client().more(state.handle, 1)
        state = if state.away, do: back(state), else: state
        tell(state, {:event, event})
        {:noreply, passed(event, state)}

      {:done, nil} ->
        lost(broke_off(), %{state | handle: nil})

      {:done, error} ->
        lost(error, %{state | handle: nil})
    end
  end

  # The rest of a stream that has ended.
  def handle_info({:vial, _ref, _what}, state), do: {:noreply, state}

  def handle_info(:connect, state) do
    case connect(state) do
      {:ok, state} -> {:noreply, state}
      {:error, error} -> lost(error, state)
    end
  end

  def handle_info({:DOWN, _monitor, :process, owner, _reason}, %{owner: owner} = state),
    do: {:stop, :normal, state}

  def handle_info(_other, state), do: {:noreply, state}

  @impl true
  def terminate(_reason, state) do
    if state.handle, do: API.client().cancel(state.handle)
  end

  defp connect(%{topic: topic, opts: opts} = state) do
    {path, query} = target(topic)
    with {:ok, handle} <- API.stream(opts, path, query), do: {:ok, %{state | handle: handle}}
  end

  defp lost(error, state) do
    if passing?(error) do
      # Told once, however long it stays away.
      if not state.away, do: tell(state, {:lost, error})
      Process.send_after(self(), :connect, state.pause)
      {:noreply, %{state | away: true, pause: min(state.pause * 2, @longest_pause)}}
    else
      tell(state, {:ended, error})
      {:stop, :normal, state}
    end
  end

  # The first event says that it is back: a stream that was opened can still be refused.
  defp back(state) do
    tell(state, :back)
    %{state | away: false, pause: @first_pause}
  end

  defp tell(%{opts: opts} = state, told) do
    case {opts[:plain], told} do
      {true, {:event, event}} -> send(state.owner, {:vial, event})
      {true, told} -> send(state.owner, {:vial, told})
      {_, told} -> send(state.owner, {__MODULE__, state.ref, told})
    end
  end

  # A log is read on from where it was.
  defp passed({:log, log}, %{topic: {:log, app, query}} = state) do
    query = query |> Keyword.delete(:lines) |> Keyword.merge(slot: log.slot, cursor: log.cursor)
    %{state | topic: {:log, app, query}}
  end

  defp passed(_event, state), do: state

  defp target(:all), do: {"/v1/events", []}
  defp target({:status, app}), do: {"/v1/events", [app: app]}

  defp target({:log, app, query}),
    do: {API.app_path(app, "/logs"), query ++ [follow: true]}

  defp broke_off do
    %Error{
      reason: :disconnected,
      message: "The daemon ended the connection.",
      next: "`systemctl status vial`"
    }
  end
end
