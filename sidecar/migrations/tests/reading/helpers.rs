//! Functions of the same file, aliases and imports.

use crate::support::*;

#[test]
fn functions_of_the_module_are_followed_with_their_arguments() {
    functions(
        "
  def change do
    add_owner(:carts)
    add_owner(:orders, :buyer_id)
  end

  defp add_owner(table, column \\\\ :owner_id) do
    alter table(table) do
      add column, references(:users)
    end

    create index(table, [column])
  end",
        Additive,
        Reversible,
        &[
            "adds carts.owner_id",
            "adds an index on carts (owner_id)",
            "adds orders.buyer_id",
            "adds an index on orders (buyer_id)",
        ],
        &[
            "orders.buyer_id is dropped with its values",
            "carts.owner_id is dropped with its values",
        ],
    );
}

#[test]
fn a_function_may_be_called_inside_a_block() {
    functions(
        "
  def change do
    alter table(:users) do
      address_columns()
      timestamps(null: true)
    end
  end

  defp address_columns do
    add :street, :string
    add :city, :string, null: false
  end",
        Destructive,
        Reversible,
        &[
            "adds users.city, which may not be null and has no default",
            "adds users.street",
            "adds users.inserted_at",
            "adds users.updated_at",
        ],
        &[
            "users.updated_at is dropped with its values",
            "users.inserted_at is dropped with its values",
            "users.city is dropped with its values",
            "users.street is dropped with its values",
        ],
    );
}

#[test]
fn the_clause_that_fits_is_taken() {
    functions(
        "
  def change, do: act(direction())

  defp act(:up), do: create(table(:carts))
  defp act(:down), do: raise(\"no way back\")",
        Additive,
        Irreversible,
        &["creates the table carts"],
        &[],
    );
    functions(
        "
  def up, do: act(:b, 2)

  defp act(:a, _), do: drop(table(:a))
  defp act(_, number) when number > 1, do: drop(table(:b))
  defp act(_, _), do: create(table(:c))

  def down, do: act(:z, 0)",
        Destructive,
        Reversible,
        &["drops the table b, under a condition", "creates the table c, under a condition"],
        &["b is dropped with what is in it", "c comes back empty"],
    );
}

#[test]
fn attributes_are_what_they_were_above_the_function() {
    functions(
        "
  @table :carts
  @columns [:a, :b]

  def change do
    alter table(@table) do
      for column <- @columns, do: add(column, :string)
    end
  end

  @table :orders",
        Additive,
        Reversible,
        &["adds carts.a", "adds carts.b"],
        &["carts.b is dropped with its values", "carts.a is dropped with its values"],
    );
}

#[test]
fn qualified_and_aliased_calls_are_the_same_commands() {
    file(
        "
defmodule Shop.Repo.Migrations.Qualified do
  use Ecto.Migration
  alias Ecto.Migration, as: M

  def change do
    Ecto.Migration.create(Ecto.Migration.table(:carts))
    M.drop(M.table(:baskets))
  end
end",
        Destructive,
        Irreversible,
        &["drops the table baskets", "creates the table carts"],
        &[],
    );
}

#[test]
fn pipes_lead_where_they_lead() {
    change(
        "
    :carts |> table() |> create()
    :baskets |> table(prefix: \"old\") |> drop()
    index(:carts, [:id]) |> create_if_not_exists",
        Destructive,
        Irreversible,
        &["drops the table old.baskets", "creates the table carts", "adds an index on carts (id)"],
        &[],
    );
}

#[test]
fn helpers_in_another_module_of_the_file_are_followed() {
    file(
        "
defmodule Shop.Migrations.Helpers do
  import Ecto.Migration

  def soft_delete(table) do
    alter table(table) do
      add :deleted_at, :utc_datetime
    end
  end
end

defmodule Shop.Repo.Migrations.SoftDelete do
  use Ecto.Migration
  alias Shop.Migrations.Helpers
  import Helpers

  def change do
    Helpers.soft_delete(:users)
    soft_delete(:carts)
  end
end",
        Additive,
        Reversible,
        &["adds users.deleted_at", "adds carts.deleted_at"],
        &[
            "carts.deleted_at is dropped with its values",
            "users.deleted_at is dropped with its values",
        ],
    );
}

#[test]
fn a_schema_in_the_migration_is_not_the_migration() {
    file(
        "
defmodule Shop.Repo.Migrations.Backfill do
  use Ecto.Migration

  defmodule User do
    use Ecto.Schema

    schema \"users\" do
      field :name
    end
  end

  def up do
    for user <- repo().all(User), do: repo().insert!(user)
  end

  def down, do: :ok
end",
        Unknown,
        Reversible,
        &["runs insert! of the repository, whose effect Vial cannot read, under a condition"],
        &["its down does nothing: what was changed stays"],
    );
}

#[test]
fn a_function_that_never_ends_is_unknown() {
    functions(
        "
  def up do
    again(1)
    drop table(:carts)
  end

  def down, do: :ok

  defp again(n), do: again(n + 1)",
        Unknown,
        Reversible,
        &["is longer than Vial reads"],
        &[],
    );
}

#[test]
fn a_project_may_have_its_own_migration_module() {
    file(
        "
defmodule Shop.Repo.Migrations.Carts do
  use Shop.Migration

  def change do
    create table(:carts) do
      add :id, :uuid, primary_key: true
    end
  end
end",
        Additive,
        Reversible,
        &["creates the table carts"],
        &["carts is dropped with what is in it"],
    );
    file(
        "defmodule A do\n  use Shop, :migration\n  def change, do: drop(table(:carts))\nend",
        Destructive,
        Irreversible,
        &["drops the table carts"],
        &[],
    );
}
