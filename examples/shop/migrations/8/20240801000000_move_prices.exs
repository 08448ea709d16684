defmodule Shop.Repo.Migrations.MovePrices do
  use Ecto.Migration

  def up do
    create table(:prices) do
      add(:product_id, references(:products), null: false)
      add(:cents, :integer, null: false)
    end

    alter table(:products) do
      remove(:price_cents)
    end
  end

  def down do
    alter table(:products) do
      add(:price_cents, :integer)
    end

    drop(table(:prices))
  end
end
