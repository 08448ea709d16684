defmodule Shop.Repo.Migrations.DropPricesForGood do
  use Ecto.Migration

  def up do
    alter table(:products) do
      remove(:price_cents)
    end
  end

  def down do
    alter table(:products) do
      add(:price_cents, :integer)
    end

    execute("SELECT 1/0")
  end
end
