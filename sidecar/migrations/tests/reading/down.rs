//! Ways down that somebody wrote.

use crate::support::*;

const UP: &str = "
  def up do
    alter table(:users) do
      remove :name
    end
  end
";

#[track_caller]
fn with(down: &str, reversal: vial_migrations::Reversal, loses: &[&str]) {
    functions(&format!("{UP}\n{down}"), Destructive, reversal, &["drops users.name"], loses);
}

#[test]
fn a_down_that_raises_is_none() {
    with("def down, do: raise(\"cannot be undone\")", Irreversible, &[]);
    with("def down do\nraise Ecto.MigrationError, message: \"no\"\nend", Irreversible, &[]);
    with("def down, do: give_up()\ndefp give_up, do: raise(\"no\")", Irreversible, &[]);
}

#[test]
fn a_down_that_may_raise_is_unclear() {
    with(
        "def down do\nif System.get_env(\"PROD\"), do: raise(\"no\")\nend",
        UNCLEAR,
        &["going down, it raises an error", "users.name does not come back"],
    );
}

#[test]
fn no_down_is_none() {
    with("", Irreversible, &[]);
}

#[test]
fn a_down_that_does_nothing_says_so() {
    for down in ["def down, do: :ok", "def down do\nend", "def down do\n  # nothing\n  :noop\nend"]
    {
        with(down, Reversible, &["its down does nothing: what was changed stays"]);
    }
}

#[test]
fn a_down_that_forgets_something_says_so() {
    with(
        "def down do\ncreate index(:users, [:email])\nend",
        Reversible,
        &["users.name does not come back"],
    );
    with(
        "def down do\nalter table(:users) do\nadd :name, :string\nend\nend",
        Reversible,
        &["users.name comes back empty"],
    );
}

#[test]
fn a_down_takes_precedence_over_change() {
    functions(
        "
  def change do
    create table(:carts)
  end

  def down do
    drop table(:carts)
  end",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["carts is dropped with what is in it"],
    );
    functions(
        "
  def up, do: create(table(:carts))
  def change, do: create(table(:baskets))",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["baskets is dropped with what is in it"],
    );
}

#[test]
fn without_a_way_up_nothing_can_be_told() {
    functions(
        "def down, do: drop(table(:carts))",
        Unknown,
        Reversible,
        &["has no up or change that Vial can read"],
        &["carts is dropped with what is in it"],
    );
}

#[test]
fn an_up_that_raises_is_unknown() {
    functions(
        "def up, do: raise(\"run 12 first\")\ndef down, do: :ok",
        Unknown,
        Reversible,
        &["raises an error"],
        &["its down does nothing: what was changed stays"],
    );
}
