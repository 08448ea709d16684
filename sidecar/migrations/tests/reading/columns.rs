//! Columns that are added, removed and renamed.

use crate::support::*;

#[test]
fn a_column_that_may_be_null_or_has_a_default_is_additive() {
    change(
        "
    alter table(:users) do
      add :nick, :string
      add :visits, :integer, null: false, default: 0
      add :seen_at, :utc_datetime, default: fragment(\"now()\"), null: false
      add(:tags, {:array, :string}, default: [])
    end",
        Additive,
        Reversible,
        &["adds users.nick", "adds users.visits", "adds users.seen_at", "adds users.tags"],
        &[
            "users.tags is dropped with its values",
            "users.seen_at is dropped with its values",
            "users.visits is dropped with its values",
            "users.nick is dropped with its values",
        ],
    );
}

#[test]
fn a_column_that_older_code_cannot_fill_is_destructive() {
    for options in ["null: false", "null: false, default: nil", "primary_key: true"] {
        change(
            &format!("alter table(:users) do\nadd :nick, :string, {options}\nend"),
            Destructive,
            Reversible,
            &["adds users.nick, which may not be null and has no default"],
            &["users.nick is dropped with its values"],
        );
    }
}

#[test]
fn a_column_that_the_database_fills_is_additive() {
    for rest in [
        ":bigserial, null: false",
        ":integer, null: false, generated: \"ALWAYS AS IDENTITY\"",
        ":identity, primary_key: true",
    ] {
        change(
            &format!("alter table(:users) do\nadd :number, {rest}\nend"),
            Additive,
            Reversible,
            &["adds users.number"],
            &["users.number is dropped with its values"],
        );
    }
}

#[test]
fn a_reference_that_may_be_null_is_additive() {
    change(
        "
    alter table(:posts) do
      add :author_id, references(:users, on_delete: :nilify_all, type: :uuid)
    end

    create index(:posts, :author_id)",
        Additive,
        Reversible,
        &["adds posts.author_id", "adds an index on posts (author_id)"],
        &["posts.author_id is dropped with its values"],
    );
}

#[test]
fn timestamps_on_a_table_that_is_there_may_not_be_null() {
    change(
        "alter table(:tags) do\ntimestamps()\nend",
        Destructive,
        Reversible,
        &[
            "adds tags.inserted_at, which may not be null and has no default",
            "adds tags.updated_at, which may not be null and has no default",
        ],
        &[
            "tags.updated_at is dropped with its values",
            "tags.inserted_at is dropped with its values",
        ],
    );
    change(
        "alter table(:tags) do\ntimestamps null: true, updated_at: false, inserted_at: :made_at\nend",
        Additive,
        Reversible,
        &["adds tags.made_at"],
        &["tags.made_at is dropped with its values"],
    );
    change(
        "alter table(:tags) do\ntimestamps default: fragment(\"now()\"), updated_at: false\nend",
        Additive,
        Reversible,
        &["adds tags.inserted_at"],
        &["tags.inserted_at is dropped with its values"],
    );
}

#[test]
fn a_column_added_if_it_is_missing_cannot_be_turned_round() {
    change(
        "alter table(:users) do\nadd_if_not_exists :nick, :string\nend",
        Additive,
        Irreversible,
        &["adds users.nick"],
        &[],
    );
}

#[test]
fn a_removed_column_comes_back_only_where_its_type_was_given() {
    change(
        "alter table(:users) do\nremove :name\nend",
        Destructive,
        Irreversible,
        &["drops users.name"],
        &[],
    );
    change(
        "alter table(:users) do\nremove :name, :string\nend",
        Destructive,
        Reversible,
        &["drops users.name"],
        &["users.name comes back empty"],
    );
    change(
        "alter table(:users) do\nremove :role, :string, default: \"guest\", null: false\nend",
        Destructive,
        Reversible,
        &["drops users.role"],
        &["users.role comes back with its default"],
    );
    change(
        "alter table(:users) do\nremove :name, :string, null: false\nend",
        Destructive,
        Reversible,
        &["drops users.name"],
        &["users.name comes back only while users is empty: it may not be null and has no default"],
    );
}

#[test]
fn a_column_removed_if_it_is_there_cannot_be_turned_round() {
    change(
        "alter table(:posts) do\nremove_if_exists :author_id, references(:authors)\nend",
        Destructive,
        Irreversible,
        &["drops posts.author_id"],
        &[],
    );
}

#[test]
fn one_column_that_cannot_come_back_keeps_the_whole_change_from_it() {
    change(
        "
    alter table(:users) do
      add :full_name, :string
      remove :first_name
    end",
        Destructive,
        Irreversible,
        &["drops users.first_name", "adds users.full_name"],
        &[],
    );
}

#[test]
fn a_renamed_column_is_destructive_and_loses_nothing() {
    change(
        "rename table(:users), :name, to: :full_name",
        Destructive,
        Reversible,
        &["renames users.name to full_name"],
        &[],
    );
    change(
        "rename(table(\"users\"), :name, to: :full_name)",
        Destructive,
        Reversible,
        &["renames users.name to full_name"],
        &[],
    );
}

#[test]
fn options_that_are_made_at_run_time_leave_a_column_unknown() {
    change(
        "alter table(:users) do\nadd :nick, :string, Application.get_env(:shop, :nick)\nend",
        Unknown,
        Reversible,
        &["adds users.nick with options that Vial cannot read"],
        &["users.nick is dropped with its values"],
    );
    change(
        "alter table(:users) do\nadd :nick, :string, null: Mix.env() == :prod\nend",
        Unknown,
        Reversible,
        &["adds users.nick with options that Vial cannot read"],
        &["users.nick is dropped with its values"],
    );
}

#[test]
fn a_column_moved_to_a_new_table_is_still_dropped() {
    functions(
        "
  def up do
    create table(:profiles) do
      add :user_id, references(:users), null: false
      add :bio, :text
    end

    flush()
    execute \"INSERT INTO profiles (user_id, bio) SELECT id, bio FROM users\"

    alter table(:users) do
      remove :bio
    end
  end

  def down do
    alter table(:users) do
      add :bio, :text
    end

    flush()
    execute \"UPDATE users SET bio = p.bio FROM profiles p WHERE p.user_id = users.id\"
    drop table(:profiles)
  end",
        Destructive,
        Reversible,
        &["drops users.bio", "inserts rows into profiles", "creates the table profiles"],
        &[
            "users.bio comes back empty",
            "going down, it changes rows of users",
            "profiles is dropped with what is in it",
        ],
    );
}
