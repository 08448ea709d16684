defmodule Shop.Repo.Migrations.AddOldNames do
  use Ecto.Migration

  def change do
    create table(:old_names) do
      add(:name, :string)
    end

    rename(table(:old_names), :name, to: :title)
  end
end
