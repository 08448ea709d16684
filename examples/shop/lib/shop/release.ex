defmodule Shop.Release do
  @moduledoc """
  Tasks that a deployment runs in the release by `bin/shop eval`.

  There is no database behind the shop: the migrations are listed, and not run.
  """

  @doc """
  Says which migrations this release would apply.

  With `SHOP_MIGRATE_FAIL=1` it raises, as a migration that fails would.
  """
  def migrate do
    if System.get_env("SHOP_MIGRATE_FAIL") == "1" do
      raise "migration failed: relation \"products\" already exists"
    end

    for {version, name} <- migrations() do
      IO.puts("== Migrated #{version} #{name}")
    end

    IO.puts("Migrations of shop #{Shop.version()} are up.")
  end

  defp migrations do
    folder = Application.app_dir(:shop, "priv/repo/migrations")

    for file <- Enum.sort(File.ls!(folder)) do
      [version, name] = file |> Path.basename(".exs") |> String.split("_", parts: 2)
      {version, name}
    end
  end
end
