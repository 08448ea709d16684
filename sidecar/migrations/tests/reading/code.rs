//! Code that runs beside the commands.

use crate::support::*;

#[test]
fn what_the_repository_is_told_is_unknown() {
    change(
        "
    alter table(:users) do
      add :role, :string
    end

    flush()
    repo().update_all(\"users\", set: [role: \"guest\"])",
        Unknown,
        Irreversible,
        &["runs update_all of the repository, whose effect Vial cannot read", "adds users.role"],
        &[],
    );
    functions(
        "
  import Ecto.Query
  alias Shop.Repo

  def up do
    from(u in \"users\", where: is_nil(u.role), update: [set: [role: \"guest\"]])
    |> Repo.update_all([])
  end

  def down, do: :ok",
        Unknown,
        Reversible,
        &["runs update_all of the repository, whose effect Vial cannot read"],
        &["its down does nothing: what was changed stays"],
    );
}

#[test]
fn sql_that_the_repository_runs_is_read_and_runs_in_both_directions() {
    change(
        "repo().query!(\"DROP TABLE carts\", [], log: false)",
        Destructive,
        UNCLEAR,
        &["drops the table carts"],
        &["carts is dropped with what is in it"],
    );
    change(
        "
    repo().query!(\"SET lock_timeout TO '5s'\")
    create table(:carts)",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["carts is dropped with what is in it"],
    );
    functions(
        "def up, do: Ecto.Adapters.SQL.query!(Shop.Repo, \"DROP TABLE carts\", [])",
        Destructive,
        Irreversible,
        &["drops the table carts"],
        &[],
    );
}

#[test]
fn a_function_that_is_executed_is_read() {
    change(
        "execute(fn -> repo().query!(\"DROP TABLE carts\") end)",
        Destructive,
        Irreversible,
        &["drops the table carts"],
        &[],
    );
    change("execute(fn -> IO.puts(\"done\") end)", Additive, Irreversible, &[], &[]);
    functions(
        "
  def change do
    execute(&execute_up/0, &execute_down/0)
  end

  defp execute_up, do: repo().query!(\"CREATE EXTENSION citext\", [], log: :info)
  defp execute_down, do: repo().query!(\"DROP EXTENSION citext\", [], log: :info)",
        Additive,
        Reversible,
        &["creates the extension citext"],
        &["going down, it drops the extension citext"],
    );
    change(
        "execute(fn -> :ok end, fn -> raise \"no way back\" end)",
        Additive,
        Irreversible,
        &[],
        &[],
    );
}

#[test]
fn what_is_not_in_the_file_is_unknown() {
    change(
        "Shop.Release.Backfill.run()",
        Unknown,
        UNCLEAR,
        &["calls Shop.Release.Backfill.run, which Vial cannot read"],
        &["going down, it calls Shop.Release.Backfill.run, which Vial cannot read"],
    );
    functions(
        "
  import Shop.MigrationHelpers

  def up do
    create_audit_trigger(:users)
  end

  def down, do: drop_audit_trigger(:users)",
        Unknown,
        Reversible,
        &["calls create_audit_trigger, which Vial cannot read"],
        &["going down, it calls drop_audit_trigger, which Vial cannot read"],
    );
    change(
        "
    key = :crypto.strong_rand_bytes(16)
    :ets.insert(:keys, {1, key})",
        Unknown,
        UNCLEAR,
        &["calls :ets.insert, which Vial cannot read"],
        &["going down, it calls :ets.insert, which Vial cannot read"],
    );
    change(
        "System.cmd(\"psql\", [\"-f\", \"up.sql\"])",
        Unknown,
        UNCLEAR,
        &["calls System.cmd, which Vial cannot read"],
        &["going down, it calls System.cmd, which Vial cannot read"],
    );
}

#[test]
fn destructive_beats_unknown_and_unknown_beats_additive() {
    functions(
        "
  def up do
    create table(:carts)
    Shop.Backfill.run()
    drop table(:baskets)
  end

  def down, do: raise(\"no\")",
        Destructive,
        Irreversible,
        &[
            "drops the table baskets",
            "calls Shop.Backfill.run, which Vial cannot read",
            "creates the table carts",
        ],
        &[],
    );
}

#[test]
fn a_direction_that_is_asked_for_is_known() {
    change(
        "
    alter table(:users) do
      add :role, :string
    end

    if direction() == :up do
      flush()
      execute \"UPDATE users SET role = 'guest'\"
    end",
        Unknown,
        Reversible,
        &["changes rows of users", "adds users.role"],
        &["users.role is dropped with its values"],
    );
    change(
        "
    case direction() do
      :up -> create table(:carts)
      :down -> raise Ecto.MigrationError, \"no way back\"
    end",
        Additive,
        Irreversible,
        &["creates the table carts"],
        &[],
    );
}

#[test]
fn both_branches_of_a_condition_that_cannot_be_read_are() {
    change(
        "
    if System.get_env(\"DROP\") do
      drop table(:carts)
    else
      create table(:baskets)
    end",
        Destructive,
        UNCLEAR,
        &[
            "drops the table carts, under a condition",
            "creates the table baskets, under a condition",
        ],
        &["baskets is dropped with what is in it"],
    );
    change(
        "
    unless repo().__adapter__() == Ecto.Adapters.SQLite3 do
      create constraint(:users, :adult, check: \"age > 17\")
    end",
        Destructive,
        Reversible,
        &["adds the constraint adult on users, under a condition"],
        &[],
    );
    change(
        "
    case repo().__adapter__() do
      Ecto.Adapters.Postgres -> execute(\"CREATE EXTENSION citext\", \"\")
      _ -> :ok
    end",
        Additive,
        Reversible,
        &["creates the extension citext, under a condition"],
        &[],
    );
}

#[test]
fn a_table_that_may_not_have_been_created_is_not_taken_for_a_new_one() {
    change(
        "
    if System.get_env(\"CARTS\") do
      create table(:carts)
    end

    create unique_index(:carts, [:token])",
        Destructive,
        Reversible,
        &["adds a unique index on carts (token)", "creates the table carts, under a condition"],
        &["carts is dropped with what is in it"],
    );
}

#[test]
fn flush_keeps_a_change_from_being_turned_round() {
    change(
        "create table(:carts)\nflush()\ncreate index(:carts, [:id])",
        Additive,
        Irreversible,
        &["creates the table carts", "adds an index on carts (id)"],
        &[],
    );
}

#[test]
fn callbacks_around_a_migration_run_in_both_directions() {
    functions(
        "
  def after_begin do
    execute \"SET lock_timeout TO '5s'\", \"SET lock_timeout TO '10s'\"
  end

  def change, do: create(table(:carts))",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["carts is dropped with what is in it"],
    );
    functions(
        "
  def before_commit, do: execute(\"DROP TABLE carts\")
  def change, do: create(table(:baskets))",
        Destructive,
        Irreversible,
        &["drops the table carts", "creates the table baskets"],
        &[],
    );
}

#[test]
fn other_branching_is_read_too() {
    change(
        "
    with {:ok, _} <- repo().query(\"SELECT 1\"),
         table = :carts do
      drop table(table)
    end",
        Destructive,
        UNCLEAR,
        &["drops the table carts, under a condition", "executes SQL that Vial cannot read"],
        &["going down, it executes SQL that Vial cannot read"],
    );
    change(
        "
    cond do
      System.get_env(\"A\") -> create table(:a)
      true -> create table(:b)
    end",
        Additive,
        Reversible,
        &["creates the table a, under a condition", "creates the table b, under a condition"],
        &["b is dropped with what is in it", "a is dropped with what is in it"],
    );
    change(
        "
    try do
      create table(:carts)
    rescue
      _ -> drop table(:carts)
    end",
        Additive,
        UNCLEAR,
        &["creates the table carts", "drops the table carts, under a condition"],
        &["carts is dropped with what is in it"],
    );
}
