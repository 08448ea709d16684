defmodule Vial.View.Migrations do
  @moduledoc false
  # Which migrations are applied, as one release sees it.

  alias Vial.{Look, Table, Text}
  alias Vial.Migrations.{Migrated, Report}

  @titles ["Repository…", " Version", "Name…", "Applied", "Does…"]

  @doc "Each repository's migrations."
  @spec table(Report.t(), Look.t()) :: String.t()
  def table(%{migrations: []} = report, _look),
    do: "#{Text.word(report.label)} (##{report.release}) has no migrations.\n"

  def table(report, look) do
    rows =
      Enum.map(report.migrations, fn state ->
        [
          Text.word(state.repo),
          Integer.to_string(state.version),
          name(state),
          {Atom.to_string(state.applied), if(state.applied == :up, do: :good, else: :warn)},
          does(state.migration)
        ]
      end)

    "As #{Text.word(report.label)} (##{report.release}) sees it:\n" <>
      Table.render(@titles, rows, look)
  end

  @doc "What was moved."
  @spec moved(Migrated.t(), Look.t()) :: String.t()
  def moved(migrated, look) do
    rows =
      for moved <- migrated.moved, do: [Text.word(moved.repo), Integer.to_string(moved.version)]

    table =
      if rows == [], do: "", else: Table.render(["Repository…", " Version"], rows, look, "  ")

    "#{Text.block(migrated.message)}\n#{table}"
  end

  defp name(%{name: nil}), do: {"no file in this release", :dim}
  defp name(%{name: name}), do: Text.word(name)

  defp does(nil), do: nil
  defp does(%{effect: :destructive} = migration), do: {phrases(migration), :bad}
  defp does(%{effect: :unknown} = migration), do: {"unknown " <> phrases(migration), :warn}
  defp does(migration), do: phrases(migration)

  defp phrases(%{does: does}), do: Enum.map_join(does, ", ", &Text.word/1)
end
