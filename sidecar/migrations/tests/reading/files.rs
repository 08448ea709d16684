//! Files that are more, or less, than one migration.

use crate::support::*;
use vial_migrations::read;

#[test]
fn the_first_migration_of_a_file_is_the_one_that_runs() {
    file(
        "
defmodule Shop.Repo.Migrations.First do
  use Ecto.Migration
  def change, do: create(table(:carts))
end

defmodule Shop.TenantRepo.Migrations.Second do
  use Ecto.Migration
  def change, do: drop(table(:carts))
end",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["carts is dropped with what is in it"],
    );
}

#[test]
fn a_module_inside_another_is_compiled_first() {
    file(
        "
defmodule Outer do
  use Ecto.Migration

  defmodule Inner do
    use Ecto.Migration
    def change, do: drop(table(:carts))
  end

  def change, do: create(table(:carts))
end",
        Destructive,
        Irreversible,
        &["drops the table carts"],
        &[],
    );
}

#[test]
fn a_file_without_a_migration_is_unknown() {
    for source in [
        "",
        "x",
        "IO.puts(\"hello\")",
        "defmodule A do\n  def change, do: drop(table(:carts))\nend",
        "defmodule A do\n  import Ecto.Migration\nend",
    ] {
        file(source, Unknown, UNCLEAR, &["has no migration that Vial can read"], &[]);
    }
}

#[test]
fn a_migration_under_a_condition_is_found() {
    file(
        "
if Code.ensure_loaded?(Oban) do
  defmodule Jobs do
    use Ecto.Migration

    unless Mix.env() == :test do
      def change, do: drop(table(:jobs))
    end
  end
end",
        Destructive,
        Irreversible,
        &["drops the table jobs"],
        &[],
    );
}

#[test]
fn what_stands_in_a_file_that_is_no_elixir_still_counts() {
    let source = migration("  def up do\n    drop table(:carts)\n    create table(:a, do\n  end");
    let reading = read(&source);
    assert_ne!(reading.effect, Additive, "{reading:?}");
    assert_eq!(reading.reversal, UNCLEAR);
    assert!(reading.does.contains(&"has syntax that Vial cannot parse".to_owned()), "{reading:?}");
}

#[test]
fn old_and_plain_styles_are_read() {
    file(
        "defmodule(Shop.Repo.Migrations.Old, do: (use(Ecto.Migration); def(change(), do: create(table(:a)))))",
        Additive,
        Reversible,
        &["creates the table a"],
        &["a is dropped with what is in it"],
    );
    file(
        "defmodule Shop.Repo.Migrations.Windows do\r\n  use Ecto.Migration\r\n  def change do\r\n    drop table :a\r\n  end\r\nend\r\n",
        Destructive,
        Irreversible,
        &["drops the table a"],
        &[],
    );
}
