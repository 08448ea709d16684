defmodule Vial.Ecto.Pools do
  @moduledoc false
  # The pools of connections of the repos that run in this node, found without any of them being known
  # to this library when it is compiled.

  @compile {:no_warn_undefined, [Ecto.Repo, Ecto.Adapter, DBConnection, PartitionSupervisor]}

  @pool DBConnection.ConnectionPool

  @typedoc "One pool: the repo's name for a person, the pool's process, how many connections it has."
  @type t :: %{name: String.t(), pid: pid, size: pos_integer}

  @doc "Every pool, or why one of them cannot be held."
  @spec running() :: {:ok, [t]} | {:error, String.t()}
  def running do
    with {:ok, repos} <- repos() do
      repos
      |> Enum.sort()
      |> Enum.reduce_while({:ok, []}, fn repo, {:ok, pools} ->
        case of(repo) do
          {:ok, more} -> {:cont, {:ok, pools ++ more}}
          {:error, _why} = error -> {:halt, error}
        end
      end)
    end
  end

  @doc "The names of those that have a connection which nobody has checked out, where that is known."
  @spec ready([t]) :: [String.t()]
  def ready(pools) do
    # Older ones do not say.
    if pools != [] and function_exported?(DBConnection, :get_connection_metrics, 1),
      do: for(pool <- pools, ready?(pool), do: pool.name),
      else: []
  end

  defp ready?(pool) do
    pool.pid |> DBConnection.get_connection_metrics() |> Enum.any?(&(&1.ready_conn_count > 0))
  catch
    :exit, _gone -> true
  end

  defp repos do
    cond do
      not Code.ensure_loaded?(Ecto.Repo) ->
        {:ok, []}

      function_exported?(Ecto.Repo, :all_running, 0) ->
        {:ok, Ecto.Repo.all_running()}

      true ->
        {:error, "this Ecto cannot say which repos run: Ecto 3.7 or newer is needed"}
    end
  rescue
    # Ecto was not started.
    ArgumentError -> {:ok, []}
  end

  defp of(repo) do
    meta = Ecto.Adapter.lookup_meta(repo)
    name = name(repo, meta)

    case meta do
      %{sql: _connection, pid: pid, opts: opts} -> of(name, pid, opts, meta)
      _other -> {:error, "the connections of #{name} cannot be held: its adapter has no SQL pool"}
    end
  rescue
    # It ended, or has not quite begun.
    _error -> {:error, "#{inspect(repo)} is being started or stopped"}
  catch
    :exit, _reason -> {:error, "#{inspect(repo)} is being started or stopped"}
  end

  defp of(name, pid, opts, meta) do
    size = Keyword.get(opts, :pool_size, 1)

    case {Keyword.get(opts, :pool, @pool), meta} do
      {@pool, %{partition_supervisor: {supervisor, _count}}} ->
        # Sorted, since they are compared.
        pids =
          for {_key, pid, _type, _} <- PartitionSupervisor.which_children(supervisor), do: pid

        {:ok, for(pid <- Enum.sort(pids), do: %{name: name, pid: pid, size: size})}

      {@pool, _meta} ->
        {:ok, [%{name: name, pid: pid, size: size}]}

      {DBConnection.Ownership, _meta} ->
        {:error,
         "the connections of #{name} cannot be held: its pool is the SQL sandbox of tests"}

      {other, _meta} ->
        {:error, "the connections of #{name} cannot be held: its pool is #{inspect(other)}"}
    end
  end

  # An instance that has no name of its own goes by its repo's.
  defp name(repo, _meta) when is_atom(repo), do: inspect(repo)
  defp name(_pid, %{repo: repo}), do: inspect(repo)
  defp name(_pid, %{telemetry: telemetry}), do: inspect(elem(telemetry, 0))
  defp name(pid, _meta), do: inspect(pid)
end
