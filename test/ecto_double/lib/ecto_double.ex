defmodule EctoDouble do
  @moduledoc """
  A double of Ecto on PostgreSQL for tests that cannot fetch either: `Ecto.Migrator`,
  `Ecto.Migration` and as much of `Ecto.Repo` as a migration needs.

  The database is one file, named by the repo's `:database`, which any number of operating system
  processes share, as several nodes and an `eval` share a database:

    * it is replaced by a rename, so a process that is killed leaves the old content or the new;
    * a lock is a bound socket (`EctoDouble.Lock`), so the kernel frees what a dead process held.

  It keeps tables with their columns and indexes, and the versions that were applied; no rows.
  What it must have in common with the real one stands in `test/support/ecto_contract.exs`, and that
  suite is run against both.

  For tests alone there is a little more: `hold_migration_lock/2`, `reverted/1`, and a file beside
  the database, its path with `.down` added, while which nobody can connect.
  """

  alias EctoDouble.{Database, Lock}

  @doc """
  Holds the lock that `Ecto.Migrator` takes, for as long as the function runs.

  `who` is what a look into `pg_stat_activity` shows as the application's name.
  """
  @spec hold_migration_lock(Path.t(), String.t(), (() -> result)) :: result when result: term
  def hold_migration_lock(path, who \\ "psql", fun) do
    {:ok, lock} = Lock.acquire(path, :migrations, :infinity, who)

    try do
      fun.()
    after
      Lock.release(lock)
    end
  end

  @doc "The columns of a table, or `nil` where there is no such table."
  @spec columns(Path.t(), String.t()) :: [String.t()] | nil
  def columns(path, table) do
    with %{columns: columns} <- Database.read(path).tables[table], do: columns
  end

  @doc "The versions that were ever reverted, the last one first."
  @spec reverted(Path.t()) :: [integer]
  def reverted(path), do: Database.read(path).reverted
end
