//! Tables.

use crate::support::*;

#[test]
fn a_new_table_is_additive_with_whatever_columns_and_indexes() {
    change(
        "
    create table(:carts) do
      add :user_id, references(:users, on_delete: :delete_all), null: false
      add :token, :string, null: false, size: 40
      add :state, :string, default: \"open\"

      timestamps(type: :utc_datetime)
    end

    create index(:carts, [:user_id])
    create unique_index(:carts, [:token])
    create constraint(:carts, :token_is_long, check: \"length(token) > 10\")",
        Additive,
        Reversible,
        &[
            "creates the table carts",
            "adds an index on carts (user_id)",
            "adds a unique index on carts (token)",
            "adds the constraint token_is_long on carts",
        ],
        &["carts is dropped with what is in it"],
    );
}

#[test]
fn a_table_without_a_block_is_a_table() {
    change(
        "create table(\"version\")",
        Additive,
        Reversible,
        &["creates the table version"],
        &["version is dropped with what is in it"],
    );
}

#[test]
fn a_join_table_without_a_primary_key_is_additive() {
    change(
        "
    create table(:posts_tags, primary_key: false) do
      add :post_id, references(:posts, type: :binary_id), primary_key: true
      add :tag_id, references(:tags, type: :binary_id), primary_key: true
    end
    create(unique_index(:posts_tags, [:post_id, :tag_id]))",
        Additive,
        Reversible,
        &["creates the table posts_tags", "adds a unique index on posts_tags (post_id, tag_id)"],
        &["posts_tags is dropped with what is in it"],
    );
}

#[test]
fn if_not_exists_is_taken_at_its_word() {
    change(
        "
    create_if_not_exists table(:tags) do
      add :name, :citext, null: false
    end
    create_if_not_exists unique_index(:tags, [:name])",
        Additive,
        Reversible,
        &["creates the table tags", "adds a unique index on tags (name)"],
        &["tags is dropped with what is in it"],
    );
}

#[test]
fn a_prefix_is_part_of_a_tables_name() {
    change(
        "
    create table(:events, prefix: \"audit\") do
      add :name, :string
    end
    create unique_index(:events, [:name], prefix: \"audit\")
    create unique_index(:events, [:name])",
        Destructive,
        Reversible,
        &[
            "adds a unique index on events (name)",
            "creates the table audit.events",
            "adds a unique index on audit.events (name)",
        ],
        &["audit.events is dropped with what is in it"],
    );
}

#[test]
fn a_prefix_that_is_made_at_run_time_is_left_out() {
    change(
        "create table(:events, prefix: prefix(), comment: \"what happened\")",
        Additive,
        Reversible,
        &["creates the table events"],
        &["events is dropped with what is in it"],
    );
}

#[test]
fn dropping_a_table_is_destructive_and_ecto_cannot_turn_it_round() {
    change("drop table(:carts)", Destructive, Irreversible, &["drops the table carts"], &[]);
    change(
        "drop_if_exists table(\"carts\"), mode: :cascade",
        Destructive,
        Irreversible,
        &["drops the table carts"],
        &[],
    );
}

#[test]
fn a_table_comes_back_empty_where_down_creates_it() {
    functions(
        "
  def up do
    drop table(:carts)
  end

  def down do
    create table(:carts) do
      add :token, :string
    end

    create unique_index(:carts, [:token])
  end",
        Destructive,
        Reversible,
        &["drops the table carts"],
        &["carts comes back empty"],
    );
}

#[test]
fn renaming_a_table_is_destructive_and_loses_nothing() {
    change(
        "rename table(:carts), to: table(:baskets)",
        Destructive,
        Reversible,
        &["renames the table carts to baskets"],
        &[],
    );
}

#[test]
fn what_a_migration_creates_it_may_also_change_and_drop() {
    change(
        "
    create table(:import) do
      add :line, :text
    end
    flush()
    alter table(:import) do
      add :number, :integer, null: false
      remove :line
    end
    rename table(:import), to: table(:imports)
    create unique_index(:imports, [:number])
    drop table(:imports)",
        Additive,
        Irreversible,
        &[
            "creates the table import",
            "adds import.number",
            "drops import.line",
            "renames the table import to imports",
            "adds a unique index on imports (number)",
            "drops the table imports",
        ],
        &[],
    );
}

#[test]
fn a_table_whose_name_is_made_at_run_time_is_unknown_and_dropping_it_destructive() {
    change(
        "create table(table_name())",
        Unknown,
        UNCLEAR,
        &[
            "calls table_name, which Vial cannot read",
            "creates a table whose name Vial cannot read",
        ],
        &[
            "a table whose name Vial cannot read is dropped with what is in it",
            "going down, it calls table_name, which Vial cannot read",
        ],
    );
    change(
        "drop table(System.get_env(\"TABLE\"))",
        Destructive,
        Irreversible,
        &["drops a table whose name Vial cannot read"],
        &[],
    );
}

#[test]
fn a_migration_that_does_nothing_is_additive() {
    change(":ok", Additive, Reversible, &[], &[]);
    functions("def up, do: nil\ndef down, do: nil", Additive, Reversible, &[], &[]);
}
