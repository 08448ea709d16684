defmodule VialEcto.Ground do
  @moduledoc "The suites on Ecto, on the real one and a real PostgreSQL."

  alias VialEcto.Postgres

  def setup do
    Postgres.start()
    EctoGround.make_application()
  end

  def database(_repo) do
    name = "contract_#{System.unique_integer([:positive])}"
    on("postgres", "setup", &Postgrex.query!(&1, "CREATE DATABASE #{name}", []))
    [database: name, pool_size: 4] ++ place()
  end

  def columns(repo, table) do
    sql =
      "SELECT column_name::text FROM information_schema.columns " <>
        "WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position"

    rows = on(repo.config()[:database], "columns", &Postgrex.query!(&1, sql, [table]).rows)
    if rows != [], do: List.flatten(rows)
  end

  def holding_lock(repo, fun) do
    lock = "LOCK TABLE schema_migrations IN SHARE UPDATE EXCLUSIVE MODE"
    in_transaction(repo, "another deploy", lock, fun)
  end

  @doc "Runs the function while a transaction of somebody by that name has run the statement."
  def in_transaction(repo, name, statement, fun) do
    on(repo.config()[:database], name, fn connection ->
      {:ok, result} =
        Postgrex.transaction(
          connection,
          fn connection ->
            Postgrex.query!(connection, statement, [])
            fun.()
          end,
          timeout: :infinity
        )

      result
    end)
  end

  @doc "How many connections there are to the repo's database."
  def connections(repo) do
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"

    on("postgres", "count", &Postgrex.query!(&1, sql, [repo.config()[:database]]).rows)
    |> hd()
    |> hd()
  end

  @doc "Each connection to the repo's database: its process, what it does, since when in a transaction."
  def activity(repo) do
    sql =
      "SELECT pid, state, xact_start::text FROM pg_stat_activity WHERE datname = $1 ORDER BY pid"

    on("postgres", "activity", &Postgrex.query!(&1, sql, [repo.config()[:database]]).rows)
    |> Enum.map(&List.to_tuple/1)
  end

  def unreachable(repo, fun) do
    config = Application.get_env(:contract, repo)
    Application.put_env(:contract, repo, Keyword.put(config, :socket_dir, "/nonexistent"))
    fun.()
  after
    config = Application.get_env(:contract, repo)
    Application.put_env(:contract, repo, Keyword.merge(config, place()))
  end

  defp place, do: [username: "postgres", socket_dir: Postgres.folder()]

  defp on(database, name, fun) do
    options = [database: database, parameters: [application_name: name]] ++ place()
    {:ok, pid} = Postgrex.start_link(options)

    try do
      fun.(pid)
    after
      GenServer.stop(pid)
    end
  end
end
