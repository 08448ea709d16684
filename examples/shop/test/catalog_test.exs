defmodule Shop.CatalogTest do
  use ExUnit.Case
  alias Shop.Catalog

  if Application.compile_env(:shop, :database, false) do
    @moduletag :capture_log

    # Each test compiles the same migrations.
    setup_all do
      Code.put_compiler_option(:ignore_module_conflict, true)
      on_exit(fn -> Code.put_compiler_option(:ignore_module_conflict, false) end)
    end

    setup do
      path = Shop.Repo.config()[:database]
      start = Application.ensure_all_started(:shop)
      assert {:ok, _} = start
      on_exit(fn -> Enum.each(Path.wildcard("#{path}*"), &File.rm!/1) end)
      %{path: path}
    end

    test "the home page needs the newest schema, and the health check does not see it" do
      migrate(["1", "2"])
      assert {Catalog.home_status(), Catalog.health_status()} == {500, 200}
      migrate(["1", "2", "8"])
      assert {Catalog.home_status(), Catalog.health_status()} == {200, 200}
    end

    test "the way down leaves the schema that the release before it needs", %{path: path} do
      migrate(["1", "2", "8"])
      assert EctoDouble.columns(path, "prices")
      folders = Enum.map(["1", "2", "8"], &"migrations/#{&1}")
      down = Ecto.Migrator.run(Shop.Repo, folders, :down, to: 20_240_801_000_000)
      assert down == [20_240_801_000_000]
      assert "price_cents" in EctoDouble.columns(path, "products")
      refute EctoDouble.columns(path, "prices")
    end

    test "a database that cannot be reached fails the health check", %{path: path} do
      migrate(["1", "2", "8"])
      File.touch!("#{path}.down")
      assert {Catalog.home_status(), Catalog.health_status()} == {500, 503}
    end

    defp migrate(folders) do
      Ecto.Migrator.run(Shop.Repo, Enum.map(folders, &"migrations/#{&1}"), :up, all: true)
    end
  else
    test "a version without a database is fine with every schema" do
      assert {Catalog.home_status(), Catalog.health_status()} == {200, 200}
    end
  end
end
