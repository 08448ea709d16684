//! SQL that is executed.

use crate::support::*;

#[test]
fn plain_sql_is_read_as_ectos_commands_are() {
    for (sql, effect, does) in [
        ("ALTER TABLE users DROP COLUMN name", Destructive, "drops users.name"),
        (
            "alter table only \"users\" drop if exists \"name\" cascade",
            Destructive,
            "drops users.name",
        ),
        ("DROP TABLE IF EXISTS public.carts CASCADE;", Destructive, "drops the table carts"),
        ("ALTER TABLE users RENAME COLUMN a TO b", Destructive, "renames users.a to b"),
        ("ALTER TABLE users RENAME TO people", Destructive, "renames the table users to people"),
        (
            "ALTER TABLE t ALTER COLUMN c TYPE numeric(10, 2) USING c::numeric",
            Destructive,
            "changes the type of t.c to numeric(10,2)",
        ),
        ("ALTER TABLE t ALTER c SET NOT NULL", Destructive, "forbids null in t.c"),
        ("ALTER TABLE t ALTER c DROP NOT NULL", Additive, "allows null in t.c"),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
            Destructive,
            "adds the constraint c on t",
        ),
        ("ALTER TABLE t ADD UNIQUE (a)", Destructive, "adds a constraint on t"),
        ("ALTER TABLE t DROP CONSTRAINT t_a_fkey", Additive, "drops the constraint t_a_fkey on t"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a text", Additive, "adds t.a"),
        ("ALTER TABLE t ADD a int NOT NULL DEFAULT 0", Additive, "adds t.a"),
        ("ALTER TABLE t ADD a bigserial", Additive, "adds t.a"),
        (
            "ALTER TABLE t ADD a text NOT NULL",
            Destructive,
            "adds t.a, which may not be null and has no default",
        ),
        (
            "CREATE TABLE IF NOT EXISTS audit.log (id bigserial primary key)",
            Additive,
            "creates the table audit.log",
        ),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t USING gin (a gin_trgm_ops)",
            Additive,
            "adds an index on t (a gin_trgm_ops)",
        ),
        ("CREATE UNIQUE INDEX ON t (lower(a))", Destructive, "adds a unique index on t (lower(a))"),
        (
            "DROP INDEX CONCURRENTLY IF EXISTS i",
            Unknown,
            "drops the index i, which may have been unique",
        ),
        ("CREATE EXTENSION IF NOT EXISTS citext", Additive, "creates the extension citext"),
        ("DROP EXTENSION citext", Destructive, "drops the extension citext"),
        ("CREATE TYPE mood AS ENUM ('sad', 'ok')", Additive, "creates the type mood"),
        (
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'",
            Additive,
            "adds a value to the type mood",
        ),
        ("DROP TYPE mood", Destructive, "drops the type mood"),
        (
            "CREATE OR REPLACE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END; $$ LANGUAGE plpgsql",
            Unknown,
            "creates the function f",
        ),
        (
            "CREATE TRIGGER tr BEFORE INSERT ON t EXECUTE PROCEDURE f()",
            Unknown,
            "creates the trigger tr",
        ),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", Additive, "creates the materialized view v"),
        ("UPDATE users SET role = 'guest' WHERE role IS NULL", Unknown, "changes rows of users"),
        ("DELETE FROM sessions", Unknown, "deletes rows of sessions"),
        ("TRUNCATE TABLE sessions", Destructive, "empties sessions"),
        ("SELECT create_hypertable('m', 'at')", Unknown, "executes SQL that Vial cannot read"),
        ("DO $$ BEGIN DROP TABLE users; END $$", Unknown, "executes SQL that Vial cannot read"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", Unknown, "executes SQL that Vial cannot read"),
    ] {
        change(&format!("execute \"\"\"\n{sql}\n\"\"\""), effect, Irreversible, &[does], &[]);
    }
}

#[test]
fn sql_that_changes_no_schema_is_additive() {
    for sql in [
        "SET lock_timeout TO '5s'",
        "COMMENT ON COLUMN users.name IS 'as on the passport'",
        "ALTER TABLE t VALIDATE CONSTRAINT c",
        "ANALYZE users",
        "GRANT SELECT ON users TO reader",
        "-- nothing\n",
        "",
    ] {
        change(&format!("execute ~S'''\n{sql}\n'''"), Additive, Irreversible, &[], &[]);
    }
}

#[test]
fn many_statements_and_many_actions_are_read_each() {
    change(
        "
    execute(\"\"\"
    ALTER TABLE users -- the old names
      DROP COLUMN first_name,
      ADD COLUMN name text DEFAULT 'a, b; c',
      ENABLE TRIGGER ALL;
    /* and more */ CREATE INDEX users_name ON users (name, (age + 1));
    \"\"\")",
        Destructive,
        Irreversible,
        &[
            "drops users.first_name",
            "executes SQL that Vial cannot read",
            "adds users.name",
            "adds an index on users (name, (age+1))",
        ],
        &[],
    );
}

#[test]
fn sql_with_its_way_back_is_reversible_and_both_are_read() {
    change(
        "execute \"CREATE EXTENSION citext\", \"DROP EXTENSION citext\"",
        Additive,
        Reversible,
        &["creates the extension citext"],
        &["going down, it drops the extension citext"],
    );
    change(
        "
    execute(
      \"ALTER TABLE users DROP COLUMN name\",
      \"ALTER TABLE users ADD COLUMN name text\"
    )",
        Destructive,
        Reversible,
        &["drops users.name"],
        &["users.name comes back empty"],
    );
    change(
        "execute(\"UPDATE users SET a = 1\", \"\")",
        Unknown,
        Reversible,
        &["changes rows of users"],
        &[],
    );
    change(
        "execute(\"SELECT f()\", \"SELECT g()\")",
        Unknown,
        Reversible,
        &["executes SQL that Vial cannot read"],
        &["going down, it executes SQL that Vial cannot read"],
    );
}

#[test]
fn what_is_put_into_sql_is_read_where_it_is_known() {
    change(
        "
    for table <- ~w(users orders) do
      execute \"ALTER TABLE #{table} DROP COLUMN legacy_id\"
    end",
        Destructive,
        Irreversible,
        &["drops users.legacy_id", "drops orders.legacy_id"],
        &[],
    );
    change(
        "execute(\"ALTER TABLE \" <> table_name() <> \" DROP COLUMN name\")",
        Destructive,
        Irreversible,
        &[
            "drops name of a table whose name Vial cannot read",
            "calls table_name, which Vial cannot read",
        ],
        &[],
    );
    change(
        "execute(\"CREATE INDEX ON users (name) #{System.get_env(\"WHERE\")}\")",
        Unknown,
        Irreversible,
        &["executes SQL that Vial cannot read"],
        &[],
    );
}

#[test]
fn sql_in_an_attribute_is_read() {
    functions(
        "
  @up \"\"\"
  CREATE TABLE IF NOT EXISTS carts (id int)
  \"\"\"
  @down \"DROP TABLE carts\"

  def change, do: execute(@up, @down)",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["carts is dropped with what is in it"],
    );
}

#[test]
fn a_constraint_in_sql_on_a_table_created_in_the_migration_is_additive() {
    change(
        "
    create table(:carts)
    execute \"ALTER TABLE carts ADD CONSTRAINT c CHECK (id > 0)\", \"\"",
        Additive,
        Reversible,
        &["creates the table carts", "adds the constraint c on carts"],
        &["carts is dropped with what is in it"],
    );
}

#[test]
fn sql_from_a_file_is_not_read() {
    let phrase = "executes SQL from a file, which Vial does not read";
    let down = format!("going down, it {phrase}");
    for (body, reversal, loses) in [
        ("execute(File.read!(\"priv/repo/up.sql\"))", Irreversible, &[][..]),
        ("execute_file(\"priv/repo/up.sql\")", Irreversible, &[][..]),
        ("execute_file(\"priv/up.sql\", \"priv/down.sql\")", Reversible, &[down.as_str()][..]),
    ] {
        change(body, Unknown, reversal, &[phrase], loses);
    }
    functions(
        "
  @structure Path.join(__DIR__, \"../structure.sql\")

  def up do
    @structure
    |> File.read!()
    |> String.split(\";\", trim: true)
    |> Enum.each(&execute/1)
  end",
        Unknown,
        Irreversible,
        &["executes SQL from a file, which Vial does not read, under a condition"],
        &[],
    );
}

#[test]
fn sql_that_a_function_makes_is_read() {
    functions(
        "
  def up do
    execute(drop_column(\"users\", \"name\"))
  end

  def down, do: execute(\"alter table users add column name text\")

  defp drop_column(table, column), do: \"ALTER TABLE #{table} DROP COLUMN #{column}\"",
        Destructive,
        Reversible,
        &["drops users.name"],
        &["users.name comes back empty"],
    );
}
