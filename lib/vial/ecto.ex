defmodule Vial.Ecto do
  @moduledoc """
  Sees that no database connection is in use in a slot that has no traffic.

  A release that is frozen in the middle of a transaction keeps its locks, and everyone else waits for
  them. So before it lets its slot be frozen, this library takes every connection of every Ecto repo
  that runs in the node, and holds them until the slot is thawed: no transaction is open then, and none
  can begin. Nothing has to be registered for that.

  It waits for a connection that is checked out, and the slot is not frozen for as long as one stays
  so: `vial show shop` says then that a repo "has a connection checked out". What may hold one for long
  is told to stop by a callback of its own.

  As a callback this module waits until no connection is in use, and gives them all back:

      Vial.on_standby(Vial.Ecto)

  That is of use where the other slot shall not begin to work before the last transaction of this one
  has ended. Callbacks for standby run in the opposite order: register it first, so that it is called
  when the others have stopped what uses the database.

  Every adapter on `Ecto.Adapters.SQL` is known, with `DBConnection.ConnectionPool` as its pool. A node
  with any other is never frozen: nobody could tell whether a transaction is open in it. Connections
  that were opened without a repo, as by `Postgrex.start_link/1`, are not seen.
  """

  alias Vial.Ecto.{Hold, Pools}
  alias Vial.Role.Job

  # How long connections are held while the last ones are waited for. A transaction that needs a second
  # connection to come to its end gets it after that.
  @window 1_000
  @pause 50

  @doc """
  Waits until no connection of any repo is in use.

  Returns an error shortly before the callback's limit (30 seconds, unless `:timeout` says otherwise),
  that says which repo still has one.

  ## Examples

      iex> Vial.Ecto.standby()
      :ok

  """
  @spec standby() :: :ok | {:error, String.t()}
  def standby, do: wait(now() + Job.left())

  defp wait(until) do
    left = until - now()

    case hold(max(min(left, @window), 0)) do
      {:ok, hold} ->
        release(hold)

      {:error, detail} when left <= @pause ->
        {:error, detail}

      {:error, _detail} ->
        Process.sleep(@pause)
        wait(until)
    end
  end

  @doc false
  # Takes every connection within so many milliseconds, or none. They are held until `release/1`, and
  # no longer than the calling process lives.
  @spec hold(non_neg_integer) :: {:ok, Hold.t()} | {:error, String.t()}
  def hold(limit \\ @window) do
    with {:ok, pools} <- Pools.running(),
         {:ok, hold} <- Hold.take(pools, limit) do
      # One that was started meanwhile, or has more connections than it was configured with.
      case {Pools.running(), Pools.ready(pools)} do
        {{:ok, ^pools}, []} ->
          {:ok, hold}

        {_changed, ready} ->
          release(hold)
          {:error, unheld(ready)}
      end
    end
  end

  @doc false
  @spec release(Hold.t()) :: :ok
  defdelegate release(hold), to: Hold

  defp unheld([]), do: "a repo was started or stopped"
  defp unheld([name | _]), do: "#{name} has more connections than its pool_size says"

  defp now, do: System.monotonic_time(:millisecond)
end
