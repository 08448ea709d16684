defmodule Mix.Tasks.Vial.Migrations do
  @shortdoc "Lists a release's migrations, or moves the database by them"
  @moduledoc """
  Lists the migrations of a release and whether they are applied, or moves the database by them.

  A rollback leaves the database alone unless it is told otherwise. The release that was left can
  still revert its migrations afterwards, because it alone has their files:

      mix vial.migrations --release 11
      mix vial.migrations --release 11 --down-to 20240301000000

    * `--release N`: the release that is asked, by its number in `mix vial.history`; the one that
      serves unless it is said
    * `--down-to VERSION`: revert, newest first, to before this migration: it is the last one that is
      reverted
    * `--up`: apply all that are not
    * `--yes`, `-y`: do not ask

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{API, Task, View}

  @settings [
    lead: "Not migrated: ",
    switches: [release: :integer, down_to: :integer, up: :boolean, yes: :boolean],
    aliases: [y: :yes]
  ]

  # Migrations take as long as they take.
  @patience :infinity

  @impl true
  def run(argv) do
    Task.run(argv, [task: __MODULE__] ++ @settings, fn given, [] ->
      case {given[:down_to], given[:up]} do
        {nil, nil} -> list(given)
        {nil, true} -> move(given, %{up: true}, "Apply all migrations?")
        {version, nil} -> move(given, %{down_to: version}, "Revert down to #{version}?")
        {_version, _up} -> {:usage, "--down-to and --up exclude each other."}
      end
    end)
  end

  defp list(given) do
    query = Keyword.take(given, [:release])

    with {:ok, report} <- API.get(opts(given), "/migrations", :migrations, query),
         do: Task.show(&View.Migrations.table(report, &1))
  end

  defp move(given, body, question) do
    if Task.agreed?(given, question) do
      body = if given[:release], do: Map.put(body, :release, given[:release]), else: body

      with {:ok, migrated} <- API.post(opts(given), "/migrations", :migrated, body),
           do: Task.show(&View.Migrations.moved(migrated, &1))
    else
      IO.puts(:stderr, "Nothing was changed.")
      exit({:shutdown, 3})
    end
  end

  defp opts(given), do: Keyword.take(given, [:app, :socket]) ++ [timeout: @patience]
end
