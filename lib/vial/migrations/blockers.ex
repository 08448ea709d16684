defmodule Vial.Migrations.Blockers do
  @moduledoc false
  # Who holds the lock that a migration waits for. PostgreSQL tells it only while somebody waits, so
  # a process looks several times within each lock_timeout, over a connection of the app's pool.

  @looks_within_a_timeout 4
  @query_limit 1000

  @sql """
  SELECT b.pid, b.usename::text, b.application_name, b.state,
         extract(epoch FROM now() - b.xact_start)::bigint AS seconds, left(b.query, 120)
  FROM pg_stat_activity w
  CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS blocking(pid)
  JOIN pg_stat_activity b ON b.pid = blocking.pid
  WHERE w.application_name = $1 AND b.application_name <> $1
  """

  @doc "Runs the function; on the way out of a failure `describe` gets what was last seen."
  @spec watching(Vial.Migrations.Repos.open(), (() -> result)) ::
          {:ok, result} | {:failed, Exception.t() | term, [String.t()]}
        when result: term
  def watching(open, fun) do
    watcher = if open.mark && open.lock_timeout > 0, do: Task.async(fn -> watch(open, []) end)

    try do
      {:ok, fun.()}
    catch
      :error, reason ->
        {:failed, Exception.normalize(:error, reason, __STACKTRACE__), seen(watcher)}

      _kind, reason ->
        {:failed, reason, seen(watcher)}
    else
      done ->
        seen(watcher)
        done
    end
  end

  defp seen(nil), do: []

  defp seen(watcher) do
    send(watcher.pid, :stop)

    case Task.yield(watcher, @query_limit) || Task.shutdown(watcher, :brutal_kill) do
      {:ok, seen} -> seen
      _ -> []
    end
  end

  defp watch(open, last) do
    receive do
      :stop -> last
    after
      max(div(open.lock_timeout, @looks_within_a_timeout), 20) -> watch(open, look(open) || last)
    end
  end

  # `nil` where nobody blocks, or it cannot be seen.
  defp look(open) do
    case open.repo.query(@sql, [open.mark], timeout: @query_limit, log: false) do
      {:ok, %{rows: [_ | _] = rows}} -> Enum.map(rows, &row/1)
      _ -> nil
    end
  rescue
    _ -> nil
  catch
    _, _ -> nil
  end

  defp row([pid, user, application, state, seconds, query]) do
    name = if application in [nil, ""], do: "", else: ", #{inspect(application)}"
    since = if seconds, do: " for #{seconds} s", else: ""
    query = (query || "") |> String.split() |> Enum.join(" ")
    "PostgreSQL process #{pid} (#{user}#{name}, #{state}#{since}): #{query}"
  end
end
