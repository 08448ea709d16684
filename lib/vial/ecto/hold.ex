defmodule Vial.Ecto.Hold do
  @moduledoc false
  # Every connection of some pools, each checked out by a process of its own that does nothing with it.
  #
  # A holder gives its connection back as it got it when it is told to, and when whoever took the hold
  # is gone, however that ended: none of them is linked to anybody. No limit ends a checkout, because a
  # limit that ran out while the node was frozen would cost the connection.

  @compile {:no_warn_undefined, [DBConnection]}

  alias Vial.Ecto.Pools

  @enforce_keys [:ref]
  defstruct [:ref, holders: []]

  @opaque t :: %__MODULE__{ref: reference, holders: [pid]}

  # A pool that let nobody wait is asked again after this.
  @again 20

  @doc "Takes all of them within so many milliseconds, or none."
  @spec take([Pools.t()], non_neg_integer) :: {:ok, t} | {:error, String.t()}
  def take(pools, limit) do
    until = System.monotonic_time(:millisecond) + limit
    {owner, ref} = {self(), make_ref()}

    waiting =
      for pool <- pools, _connection <- 1..pool.size, into: %{} do
        {spawn(fn -> hold(pool, ref, owner) end), pool}
      end

    hold = %__MODULE__{ref: ref, holders: Map.keys(waiting)}

    case wait(waiting, ref, until) do
      :ok ->
        {:ok, hold}

      {:error, detail} ->
        release(hold)
        {:error, detail}
    end
  end

  @doc "Gives them back, at once."
  @spec release(t) :: :ok
  def release(%__MODULE__{ref: ref, holders: holders}) do
    for holder <- holders, do: send(holder, {ref, :release})
    flush(ref)
  end

  defp wait(waiting, _ref, _until) when map_size(waiting) == 0, do: :ok

  defp wait(waiting, ref, until) do
    receive do
      {^ref, holder, :held} -> wait(Map.delete(waiting, holder), ref, until)
      {^ref, _holder, {:failed, detail}} -> {:error, detail}
    after
      max(until - System.monotonic_time(:millisecond), 0) -> {:error, in_use(waiting)}
    end
  end

  defp in_use(waiting) do
    {name, count} = waiting |> Map.values() |> Enum.frequencies_by(& &1.name) |> Enum.min()
    how_many = if count == 1, do: "a connection", else: "#{count} connections"
    "#{name} has #{how_many} checked out"
  end

  defp flush(ref) do
    receive do
      {^ref, _holder, _what} -> flush(ref)
    after
      0 -> :ok
    end
  end

  # A holder

  defp hold(pool, ref, owner) do
    monitor = Process.monitor(owner)
    checkout(pool, ref, owner, monitor)
  end

  defp checkout(pool, ref, owner, monitor) do
    DBConnection.run(
      pool.pid,
      fn _connection ->
        send(owner, {ref, self(), :held})
        released(ref, monitor, :infinity)
      end,
      timeout: :infinity
    )
  rescue
    # The pool drops whoever waits long in a queue that is slow.
    _dropped in DBConnection.ConnectionError ->
      unless released(ref, monitor, @again), do: checkout(pool, ref, owner, monitor)

    error ->
      send(owner, {ref, self(), {:failed, "#{pool.name}: #{Exception.message(error)}"}})
  catch
    # It ended; a hold that is complete does not hear of that, and its end is no loss.
    :exit, _reason -> send(owner, {ref, self(), {:failed, "#{pool.name} is being stopped"}})
  end

  defp released(ref, monitor, limit) do
    receive do
      {^ref, :release} -> true
      {:DOWN, ^monitor, :process, _owner, _reason} -> true
    after
      limit -> false
    end
  end
end
