//! Migrations that packages bring ready-made.

use crate::support::*;

#[test]
fn obans_tables_are_known() {
    for (up, down) in [
        ("Oban.Migration.up(version: 12)", "Oban.Migration.down(version: 1)"),
        ("Oban.Migrations.up()", "Oban.Migrations.down()"),
    ] {
        functions(
            &format!("def up, do: {up}\n\ndef down do\n  {down}\nend"),
            Additive,
            Reversible,
            &["brings Oban's tables up"],
            &["going down, it takes Oban's tables down"],
        );
    }
    functions(
        "
  alias Oban.Migration, as: Jobs
  defdelegate up, to: Oban.Migrations
  def change, do: Jobs.up(version: 11)",
        Additive,
        UNCLEAR,
        &["brings Oban's tables up"],
        &[],
    );
}

#[test]
fn other_packages_are_not() {
    change(
        "Carbonite.Migrations.up(1)",
        Unknown,
        UNCLEAR,
        &["calls Carbonite.Migrations.up, which Vial cannot read"],
        &["going down, it calls Carbonite.Migrations.up, which Vial cannot read"],
    );
}

#[test]
fn a_triggers_function_as_packages_write_them_is_unknown() {
    functions(
        "
  def up do
    execute \"\"\"
    CREATE FUNCTION notify() RETURNS trigger AS $BODY$
    BEGIN
      PERFORM pg_notify('changes', NEW.id::text);
      RETURN NEW;
    END;
    $BODY$ LANGUAGE plpgsql;
    \"\"\"

    execute \"\"\"
    CREATE TRIGGER users_notify AFTER INSERT OR UPDATE ON users
    FOR EACH ROW EXECUTE PROCEDURE notify();
    \"\"\"
  end

  def down do
    execute \"DROP TRIGGER IF EXISTS users_notify ON users\"
    execute \"DROP FUNCTION IF EXISTS notify()\"
  end",
        Unknown,
        Reversible,
        &["creates the trigger users_notify", "creates the function notify"],
        &[
            "going down, it drops the trigger users_notify",
            "going down, it drops the function notify",
        ],
    );
}

#[test]
fn the_tables_that_phx_gen_auth_makes_are_additive() {
    change(
        "
    execute \"CREATE EXTENSION IF NOT EXISTS citext\", \"\"

    create table(:users) do
      add :email, :citext, null: false
      add :hashed_password, :string
      add :confirmed_at, :utc_datetime

      timestamps(type: :utc_datetime)
    end

    create unique_index(:users, [:email])

    create table(:users_tokens) do
      add :user_id, references(:users, on_delete: :delete_all), null: false
      add :token, :binary, null: false
      add :context, :string, null: false
      add :sent_to, :string

      timestamps(type: :utc_datetime, updated_at: false)
    end

    create index(:users_tokens, [:user_id])
    create unique_index(:users_tokens, [:context, :token])",
        Additive,
        Reversible,
        &[
            "creates the extension citext",
            "creates the table users",
            "adds a unique index on users (email)",
            "creates the table users_tokens",
            "adds an index on users_tokens (user_id)",
            "adds a unique index on users_tokens (context, token)",
        ],
        &["users_tokens is dropped with what is in it", "users is dropped with what is in it"],
    );
}
