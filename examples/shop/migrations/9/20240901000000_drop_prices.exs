defmodule Shop.Repo.Migrations.DropPrices do
  use Ecto.Migration

  # Without the type nobody can tell how the column was: there is no way down.
  def change do
    alter table(:products) do
      remove(:price_cents)
    end
  end
end
