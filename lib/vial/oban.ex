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

  Jobs that a queue is working on go on to their end. A queue whose process is started again comes
  back as it was configured. Oban inserts the jobs of a crontab on one node only, whichever slot that
  is; any node's queues work them.

  Needs Oban 2.17 or newer, and Erlang distribution as Vial sets it up: Oban tells the two slots
  apart by the names of their nodes.
  """

  @doc """
  Pauses all queues of this node, and of no other.

  ## Examples

      iex> Vial.Oban.standby()
      {:error, "Oban is not there, or older than 2.17: its queues were not paused"}

  """
  @spec standby(atom) :: :ok | {:error, Exception.t() | String.t()}
  def standby(name \\ Oban), do: call(:pause_all_queues, name, "paused")

  @doc """
  Resumes all queues of this node, and of no other.

  ## Examples

      iex> Vial.Oban.active()
      {:error, "Oban is not there, or older than 2.17: its queues were not resumed"}

  """
  @spec active(atom) :: :ok | {:error, Exception.t() | String.t()}
  def active(name \\ Oban), do: call(:resume_all_queues, name, "resumed")

  # Oban is the application's own: it is found when it is called.
  defp call(function, name, done) do
    if Code.ensure_loaded?(Oban) and function_exported?(Oban, function, 2),
      do: apply(Oban, function, [name, [local_only: true]]),
      else: {:error, "Oban is not there, or older than 2.17: its queues were not #{done}"}
  end
end
