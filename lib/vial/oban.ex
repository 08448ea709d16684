defmodule Vial.Oban do
  @moduledoc """
  Keeps Oban's queues still in the slot that has no traffic.

  For a while two releases of an application run side by side: one serves, the other has just been
  started and is being checked, or was just left. Both would work the same queues. Register this
  module where Oban has been started, at the end of the application's `start/2`, and the queues of a
  node run only while its slot is active:

      def start(_type, _args) do
        children = [Shop.Repo, {Oban, Application.fetch_env!(:shop, Oban)}, ShopWeb.Endpoint]
        result = Supervisor.start_link(children, strategy: :one_for_one, name: Shop.Supervisor)

        Vial.on_standby(Vial.Oban)
        Vial.on_active(Vial.Oban)
        result
      end

  Between the start of Oban and this call a queue may take its first jobs. Where that matters, start
  the queues paused, with `queues: [default: [limit: 10, paused: true]]`: `active/1` resumes them, in
  development too.

  For an instance with another name:

      Vial.on_standby({Vial.Oban, :standby, [Shop.Oban]})
      Vial.on_active({Vial.Oban, :active, [Shop.Oban]})

  Jobs that a queue is working on go on to their end, and the callback waits for them: the other slot
  works its queues only then, and this one is not frozen before. `Vial.on_standby(Vial.Oban,
  timeout: 120_000)` lets them take longer than 30 seconds.

  A slot in which Oban runs and this was not registered is not frozen, unless its queues are paused. A
  queue whose process is started again comes back as it was configured. Oban inserts the jobs of a crontab on one node only, whichever slot that
  is; any node's queues work them. Where that node is frozen, another one takes its place after Oban's
  own time for it, 30 seconds.

  Needs Oban 2.17 or newer, and Erlang distribution as Vial sets it up: Oban tells the two slots
  apart by the names of their nodes.
  """

  alias Vial.Oban.Queues
  alias Vial.Role.Job

  @compile {:no_warn_undefined, Oban}

  # A signal is sent again after this, as long as it has not been followed.
  @again 1_000
  @pause 20
  # Queues that run may take a moment to be seen so, and nobody should wait for them long.
  @resumed 5_000

  @doc """
  Pauses all queues of this node, and of no other, and waits until the jobs in hand have ended.

  Returns an error shortly before the callback's limit (30 seconds, unless `:timeout` says otherwise)
  where a queue is still at work then. Its jobs go on all the same.

  ## Examples

      iex> Vial.Oban.standby()
      {:error, "Oban is not there, or older than 2.17: its queues were not paused"}

  """
  @spec standby(atom) :: :ok | {:error, Exception.t() | String.t()}
  def standby(name \\ Oban),
    do: signal(:pause_all_queues, name, "paused", &Queues.still/1, Job.left())

  @doc """
  Resumes all queues of this node, and of no other.

  ## Examples

      iex> Vial.Oban.active()
      {:error, "Oban is not there, or older than 2.17: its queues were not resumed"}

  """
  @spec active(atom) :: :ok | {:error, Exception.t() | String.t()}
  def active(name \\ Oban) do
    signal(:resume_all_queues, name, "resumed", &Queues.run/1, min(Job.left(), @resumed))
  end

  @doc false
  # Whether no Oban of this node does anything, where these are the callbacks that were registered.
  @spec rest([Vial.Role.callback()]) :: :ok | {:error, String.t()}
  def rest(callbacks) do
    Enum.find_value(Queues.instances(), :ok, fn name ->
      case {Queues.still(name), Enum.any?(callbacks, &stills?(&1, name))} do
        {:ok, _registered?} -> nil
        {_still, false} -> {:error, unregistered(name)}
        {:unknown, true} -> nil
        {{:error, _detail} = error, true} -> error
      end
    end)
  end

  defp stills?(__MODULE__, Oban), do: true
  defp stills?({__MODULE__, :standby, []}, Oban), do: true
  defp stills?({__MODULE__, :standby, [name]}, name), do: true
  defp stills?(_callback, _name), do: false

  defp unregistered(Oban), do: "Oban runs and `Vial.on_standby(Vial.Oban)` was not called"

  defp unregistered(name) do
    "#{inspect(name)} runs and `Vial.on_standby({Vial.Oban, :standby, [#{inspect(name)}]})` was " <>
      "not called"
  end

  defp signal(function, name, done, check, limit) do
    now = now()
    wait(%{function: function, name: name, done: done, check: check, until: now + limit, at: now})
  end

  # Oban's signals go through its notifier, which has nobody to tell where a queue does not listen
  # yet: what was not heard is said again.
  defp wait(signal) do
    if now() >= signal.at do
      with :ok <- call(signal.function, signal.name, signal.done),
           do: look(%{signal | at: now() + @again})
    else
      look(signal)
    end
  end

  defp look(signal) do
    case signal.check.(signal.name) do
      {:error, detail} ->
        if now() + @pause >= signal.until do
          {:error, detail}
        else
          Process.sleep(@pause)
          wait(signal)
        end

      # Where it cannot be asked, it was told at least.
      _done_or_unknown ->
        :ok
    end
  end

  # Oban is the application's own: it is found when it is called.
  defp call(function, name, done) do
    if Code.ensure_loaded?(Oban) and function_exported?(Oban, function, 2),
      do: apply(Oban, function, [name, [local_only: true]]),
      else: {:error, "Oban is not there, or older than 2.17: its queues were not #{done}"}
  end

  defp now, do: System.monotonic_time(:millisecond)
end
