defmodule Vial.Migrations.Files do
  @moduledoc false
  # A migration's module, found and compiled as Ecto does it: so that exactly one can be moved, and
  # not whatever else `Ecto.Migrator.run/4` would find on the way to a version.

  alias Vial.Migrations.Trouble

  @compile {:no_warn_undefined, Ecto.Migrator}

  @spec load!(module, integer) :: module
  def load!(repo, version) do
    case files(repo, version) do
      [file] -> compile!(file)
      files -> raise Trouble.not_one_file(version, Enum.map(files, &Path.basename/1))
    end
  end

  defp files(repo, version) do
    for file <- Path.wildcard(Path.join([Ecto.Migrator.migrations_path(repo), "**", "*.exs"])),
        match?({^version, "_" <> _}, Integer.parse(Path.basename(file, ".exs"))),
        do: file
  end

  defp compile!(file) do
    modules = for {module, _code} <- Code.compile_file(file), do: module

    Enum.find(modules, &function_exported?(&1, :__migration__, 0)) ||
      raise Trouble.no_migration_inside(Path.basename(file))
  end
end
