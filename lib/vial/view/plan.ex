defmodule Vial.View.Plan do
  @moduledoc false
  # What a rollback would do, before anyone agrees to it.

  alias Vial.{Look, Text, View}

  @doc "The plan, with what stays as it is in a warning."
  @spec render(Vial.Plan.t(), Look.t()) :: String.t()
  def render(plan, look) do
    to = Look.label(plan.to)

    served =
      if at = plan.to_last_live_at,
        do:
          "last took the traffic #{Look.clock(look, at)} (#{Look.age(look, at)})#{how_well(plan)}",
        else: "has not served yet"

    how =
      cond do
        plan.standby -> View.Standby.ready(plan.standby, look)
        plan.hot -> "it still runs: only the switch is left to do"
        true -> "it is started and checked first; the release that serves goes on until then"
      end

    # Said already of what is ready.
    said? = match?(%{ready: true, expected_ms: millis} when millis != nil, plan.standby)
    takes = if not said?, do: plan.expected_ms

    facts =
      [
        {"Release", "#{to} #{served}"},
        {"Slot", "#{plan.slot}; #{how}"},
        takes && {"Takes", "about #{Look.about(takes)}"},
        plan.cancels &&
          {"Cancels", Look.paint(look, :warn, "deployment ##{plan.cancels}, in progress")},
        {"Database", database(plan, look)}
      ]
      |> Enum.filter(& &1)
      |> Enum.map(fn {name, line} -> fact(name, line, look) end)

    IO.iodata_to_binary([
      "Roll back #{Look.paint(look, :bold, Text.word(plan.app))}: ",
      "#{Look.paint(look, :bold, Look.label(plan.from))} (##{plan.from_deployment}) → ",
      "#{Look.paint(look, :bold, to)} (##{plan.to_deployment})\n",
      facts,
      Enum.map(plan.migrations, &migration(&1, look)),
      applies(plan, look),
      environment(plan.environment, look),
      Enum.map(plan.warnings, &[Look.paint(look, :bad, "!"), " ", Text.word(&1), "\n"])
    ])
  end

  @doc "The plan in a line, for IEx where it stands within something else."
  @spec line(Vial.Plan.t()) :: String.t()
  def line(plan) do
    "#{Text.word(plan.app)}: #{Look.label(plan.from)} (##{plan.from_deployment}) → " <>
      "#{Look.label(plan.to)} (##{plan.to_deployment}), #{database_word(plan.database)}"
  end

  @doc "What the migrations in the way did: \"#11 dropped users.name\"; one phrase each."
  @spec in_the_way(Vial.Plan.t()) :: [String.t()]
  def in_the_way(plan) do
    for %{effect: :destructive} = migration <- plan.migrations do
      "##{migration.brought_by} #{does(migration)}"
    end
  end

  @doc "What reverting them takes away."
  @spec losses(Vial.Plan.t()) :: [String.t()]
  def losses(plan),
    do: for(migration <- plan.migrations, loss <- migration.loses, do: Text.word(loss))

  @doc "One migration in a line, for IEx."
  @spec migration(Vial.Migration.t()) :: String.t()
  def migration(migration) do
    by = if migration.brought_by, do: " (##{migration.brought_by})"
    name = "#{migration.version} #{Text.word(migration.name)}#{by}"
    does = if migration.does != [], do: ": #{does(migration)}"
    down = if migration.reversal == :irreversible, do: ", no way down"
    "#{name}, #{migration.effect}#{does}#{down}"
  end

  # " and served 2 h, without a restart"
  defp how_well(%{to_served_ms: nil}), do: ""

  defp how_well(plan) do
    health = if plan.to_health, do: ", #{Text.word(plan.to_health)}"
    " and served #{Look.span(div(plan.to_served_ms, 1000))}#{health}"
  end

  defp database(%{database: :unchanged} = plan, _look),
    do: "left alone; #{Look.label(plan.to)} knows every migration"

  defp database(%{database: :keep} = plan, look) do
    count = count(plan.migrations, "migration")

    Look.paint(
      look,
      :warn,
      "left alone: #{count} that #{Look.label(plan.to)} does not know will stay"
    )
  end

  defp database(%{database: {:revert, versions}}, look) do
    Look.paint(look, :warn, "#{count(versions, "migration")} reverted before the switch:")
  end

  defp database(%{database: {:choose, _choices}} = plan, look) do
    count = count(plan.migrations, "migration")

    Look.paint(
      look,
      :bad,
      "#{count} that #{Look.label(plan.to)} does not know; keep or revert must be said"
    )
  end

  defp migration(migration, look) do
    what =
      case migration.effect do
        :destructive -> Look.paint(look, :bad, does(migration))
        :additive -> does(migration)
        :unknown -> Look.paint(look, :warn, "unknown: " <> does(migration))
      end

    loses = Enum.map(migration.loses, &["              reverting: ", Text.word(&1), "\n"])

    irreversible =
      if migration.reversal == :irreversible, do: "              it has no way down\n", else: []

    [
      "            #{migration.version} #{Text.word(migration.name)} (#{Text.word(migration.app)}",
      if(migration.brought_by, do: ", ##{migration.brought_by}", else: ""),
      "): #{what}\n",
      loses,
      irreversible
    ]
  end

  defp does(%{does: [], effect: :unknown}), do: "cannot be told from its text"
  defp does(%{does: []} = migration), do: Text.word(migration.name)
  defp does(%{does: does}), do: Enum.map_join(does, ", ", &Text.word/1)

  defp applies(%{applies: []}, _look), do: []

  defp applies(plan, look) do
    [
      fact(
        "Migrates",
        "#{count(plan.applies, "migration")} that #{Look.label(plan.to)} brings",
        look
      ),
      Enum.map(plan.applies, &migration(&1, look))
    ]
  end

  # Nothing where the release starts with what it would start with today in any case.
  defp environment(%{differs: [], renewed: []}, _look), do: []

  defp environment(%{differs: [], renewed: renewed}, look),
    do: fact("Env", "today's of what is secret and was changed: #{names(renewed)}", look)

  defp environment(%{version: version, differs: differs, renewed: renewed}, look) do
    own = "its own (version #{version}), not today's, of: #{names(differs)}"

    [
      fact("Env", Look.paint(look, :warn, own), look),
      if(renewed == [],
        do: [],
        else: fact("", "today's of what is secret: #{names(renewed)}", look)
      )
    ]
  end

  defp names(names), do: Enum.map_join(names, ", ", &Text.word/1)

  defp fact(name, line, look),
    do: ["  ", Look.paint(look, :dim, String.pad_trailing(name, 8)), "  ", line, "\n"]

  defp database_word(:unchanged), do: "database unchanged"
  defp database_word(:keep), do: "migrations stay"
  defp database_word({:revert, versions}), do: "#{count(versions, "migration")} reverted"
  defp database_word({:choose, _}), do: "keep or revert the migrations?"
  defp database_word(nil), do: "database unchanged"

  defp count(list, word) do
    case length(list) do
      1 -> "1 #{word}"
      many -> "#{many} #{word}s"
    end
  end
end
