defmodule Shop.Repo.Migrations.AddPrice do
  use Ecto.Migration

  def change do
    alter table(:products) do
      add(:price_cents, :integer)
    end
  end
end
