defmodule Shop.Release do
  @moduledoc """
  Tasks that a deployment runs in the release by `bin/shop eval`.

  The versions up to 7 have no database: their migrations are listed, and not run.
  """

  @database Application.compile_env(:shop, :database, false)

  @doc """
  Applies the migrations; without a database, says which ones it would apply.

  With `SHOP_MIGRATE_FAIL=1` it raises, as a migration that fails would.
  """
  def migrate do
    if System.get_env("SHOP_MIGRATE_FAIL") == "1" do
      raise "migration failed: relation \"products\" already exists"
    end

    apply_all()
    IO.puts("Migrations of shop #{Shop.version()} are up.")
  end

  if @database do
    @doc """
    Holds the lock that migrations take, as a migration somewhere else would, for so many
    milliseconds.
    """
    def hold_lock(ms) do
      path = Keyword.fetch!(Shop.Repo.config(), :database)
      EctoDouble.hold_migration_lock(path, "another deploy", fn -> Process.sleep(ms) end)
    end

    defp apply_all do
      Application.load(:shop)

      for repo <- Application.fetch_env!(:shop, :ecto_repos) do
        {:ok, _, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :up, all: true))
      end
    end
  else
    defp apply_all do
      for {version, name} <- migrations() do
        IO.puts("== Migrated #{version} #{name}")
      end
    end

    defp migrations do
      folder = Application.app_dir(:shop, "priv/repo/migrations")

      for file <- Enum.sort(File.ls!(folder)) do
        [version, name] = file |> Path.basename(".exs") |> String.split("_", parts: 2)
        {version, name}
      end
    end
  end
end
