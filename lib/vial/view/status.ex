defmodule Vial.View.Status do
  @moduledoc false
  # What an app does, at a glance.

  alias Vial.{Look, Table, Text, View}

  @slot_titles ["Slot", "State", "Health…", "Release…", " Port", " Pid", "Started"]
  @app_titles ["App…", "Serves…", "Slot", "Health…", "Since", "In progress…"]

  @doc "One app, wholly."
  @spec app(Vial.Status.t(), Look.t()) :: String.t()
  def app(status, look) do
    route = if status.route, do: status.route.problem
    warnings = Enum.map(status.warnings, &View.Problem.warning(&1, "", look))

    route =
      if route && route not in status.warnings,
        do: View.Problem.warning(route, "Route: ", look),
        else: ""

    facts =
      Enum.map(facts(status, look), fn {name, line} ->
        ["  ", Look.paint(look, :dim, String.pad_trailing(name, 11)), "  ", line, "\n"]
      end)

    IO.iodata_to_binary([
      [headline(status, look), "\n", warnings, route, "\n"],
      [slots(status, look), "\n", facts]
    ])
  end

  @doc "Every app, a line each, with what is wrong above."
  @spec all(Vial.Daemon.t(), Look.t()) :: String.t()
  def all(%{apps: apps, problems: problems}, look) do
    wrong =
      Enum.map(problems, &View.Problem.warning(&1, "", look)) ++
        for app <- apps, warning <- app.warnings do
          View.Problem.warning(warning, Text.word(app.name) <> ": ", look)
        end

    wrong = if wrong == [], do: "", else: Enum.join(wrong) <> "\n"

    case apps do
      [] -> wrong <> "No apps yet. Next: `vial init APP`, then `vial reload`.\n"
      apps -> wrong <> Table.render(@app_titles, Enum.map(apps, &app_row(&1, look)), look)
    end
  end

  @doc "One app in a line, for IEx."
  @spec line(Vial.Status.t(), Look.t()) :: String.t()
  def line(%{desired: :stopped} = status, _look), do: Text.word(status.name) <> " is stopped"

  def line(%{serving: nil} = status, _look) do
    Enum.join(["#{Text.word(status.name)} has no release yet" | going(status)], "; ")
  end

  def line(status, look) do
    since =
      if status.serving_since do
        " since #{Look.short_clock(look, status.serving_since)}" <>
          " (#{Look.age(look, status.serving_since)})"
      end

    {active, idle} = Enum.split_with(status.slots, &(&1.slot == status.active))
    health = for %{health: %{healthy: healthy}} <- active, do: health_word(healthy)
    idle = Enum.map(idle, &"idle #{&1.slot} #{idle(&1, look)}#{in_it(&1.release)}")

    serves =
      "#{Text.word(status.name)}: #{Look.label(status.serving)} serves from " <>
        "#{status.active}#{since}"

    Enum.join([Enum.join([serves | health], ", ") | idle ++ going(status)], "; ")
  end

  @doc "What serves, since when, from which slot."
  @spec headline(Vial.Status.t(), Look.t()) :: String.t()
  def headline(status, look) do
    name = Look.paint(look, :bold, Text.word(status.name))

    cond do
      status.desired == :stopped ->
        "#{name} is #{Look.paint(look, :warn, "stopped")}. " <>
          "`vial start #{Text.word(status.name)}` starts it."

      status.serving && status.active ->
        since =
          if at = status.serving_since,
            do: " since #{Look.clock(look, at)} (#{Look.age(look, at)})"

        "#{name}: #{Look.paint(look, :bold, Look.label(status.serving))} serves#{since} from " <>
          Look.paint(look, Look.slot_tone(status.active), Atom.to_string(status.active))

      true ->
        "#{name} has no release yet. `vial deploy #{Text.word(status.name)} PATH` brings one."
    end
  end

  @doc "One slot in a line, for IEx."
  @spec slot(Vial.Slot.t()) :: String.t()
  def slot(slot) do
    port = if slot.port, do: " on #{slot.port}"
    health = if slot.health, do: ", #{health_word(slot.health.healthy)}"
    trouble = if said = trouble(slot), do: "; #{said}"
    "#{slot.slot}: #{slot.state}#{in_it(slot.release)}#{port}#{health}#{trouble}"
  end

  defp app_row(app, look) do
    active = Enum.find(app.slots, &(&1.slot == app.active))

    [
      {Text.word(app.name), :bold},
      serves(app),
      app.active && {Atom.to_string(app.active), Look.slot_tone(app.active)},
      active && health(active),
      app.serving_since && Look.age(look, app.serving_since),
      app.deployment &&
        {"##{app.deployment.number} #{Vial.Deployment.stage(app.deployment.status)}",
         Look.status_tone(app.deployment.status)}
    ]
  end

  defp serves(%{desired: :stopped}), do: {"stopped", :warn}
  defp serves(%{serving: nil}), do: {"nothing yet", :dim}
  defp serves(%{serving: release}), do: Look.label(release)

  # The one that serves first.
  defp slots(status, look) do
    {serving, idle} = Enum.split_with(status.slots, &(&1.slot == status.active))

    rows =
      Enum.map(serving ++ idle, fn slot ->
        mark = if slot.slot == status.active, do: "▸ ", else: "  "

        [
          {"#{mark}#{slot.slot}", Look.slot_tone(slot.slot)},
          {Atom.to_string(slot.state), state_tone(slot.state)},
          health(slot),
          slot.release && named(slot.release),
          slot.port && Integer.to_string(slot.port),
          slot.pid && Integer.to_string(slot.pid),
          slot.since && Look.age(look, slot.since)
        ]
      end)

    Table.render(@slot_titles, rows, look, "  ")
  end

  defp facts(status, look) do
    slots = for slot <- status.slots, said = trouble(slot), do: {name(slot.slot), said}

    kept =
      for slot <- status.slots,
          said = View.Standby.line(slot.standby, look),
          do: {"Standby", said}

    [
      status.deployment && {"In progress", in_progress(status.deployment, look)},
      slots,
      kept,
      works(status),
      status.queued && {"Waiting", View.Deployment.of(status.queued)},
      {"Rollback", rollback(status, look)},
      status.last && {"Last", last(status.last, look)},
      {"Route", route(status.route)}
    ]
    |> List.flatten()
    |> Enum.filter(& &1)
  end

  # Told where it is not the one that serves.
  defp works(%{active: active, works: active}), do: nil
  defp works(%{active: nil}), do: nil

  defp works(%{works: nil} = status) do
    other = for slot <- status.slots, slot.slot != status.active, do: slot.slot
    {"Queues", "worked by no slot until #{Enum.join(other)} came to rest"}
  end

  defp works(%{works: works}), do: {"Queues", "worked by #{works}"}

  defp in_progress(deployment, look) do
    since =
      case List.last(deployment.steps) do
        nil -> deployment.queued_at
        step -> step.started_at
      end

    stage = Vial.Deployment.stage(deployment.status)

    "#{View.Deployment.of(deployment)}: " <>
      Look.paint(look, Look.status_tone(deployment.status), stage) <>
      " (#{deployment.status}) for #{Look.took(Look.millis(since, look.now))}"
  end

  defp rollback(status, look) do
    case status.rollback do
      %{refusal: %Vial.Error{} = refusal} ->
        "#{Look.paint(look, :warn, "not now:")} #{View.Problem.line(refusal)}"

      %{target: %Vial.Release{} = target} ->
        "to #{Look.paint(look, :bold, named(target))}: `vial rollback #{Text.word(status.name)}`"

      _neither ->
        "not possible"
    end
  end

  defp last(deployment, look) do
    stage = Vial.Deployment.stage(deployment.status)
    at = deployment.ended_at || deployment.queued_at

    "#{View.Deployment.of(deployment)}: " <>
      Look.paint(look, Look.status_tone(deployment.status), stage) <> " #{Look.age(look, at)}"
  end

  defp route(nil), do: "none: a worker"

  defp route(route),
    do:
      "#{Enum.map_join(route.hosts, ", ", &Text.word/1)} through Caddy (#{Text.word(route.mode)})"

  # What happened to a slot's process, where it did not simply start and run.
  defp trouble(slot) do
    again =
      case slot.restarts do
        0 -> nil
        1 -> "started again once"
        many -> "started again #{many} times"
      end

    exit = if slot.state != :running or again, do: slot.last_exit
    said = Enum.filter([exit && Text.word(exit), again], & &1)
    if said != [], do: Enum.join(said, "; ")
  end

  # Only one that is kept is idle for long.
  defp idle(%{standby: nil} = slot, _look), do: Atom.to_string(slot.state)
  defp idle(slot, look), do: View.Standby.line(slot.standby, look)

  defp health(%{health: nil}), do: nil

  defp health(%{health: %{healthy: true, detail: detail}}),
    do: {"ok, #{Text.word(detail)}", :good}

  defp health(%{health: %{detail: detail}}), do: {"failing, #{Text.word(detail)}", :bad}

  defp health_word(true), do: "healthy"
  defp health_word(false), do: "failing its health check"

  defp going(%{deployment: nil}), do: []

  defp going(%{deployment: deployment}) do
    ["#{View.Deployment.of(deployment)} is #{Vial.Deployment.stage(deployment.status)}"]
  end

  defp in_it(nil), do: ""
  defp in_it(release), do: " (#{Look.label(release)})"

  defp named(release), do: "#{Look.label(release)} (##{release.number})"

  defp name(:blue), do: "Blue"
  defp name(:green), do: "Green"

  defp state_tone(:stopped), do: :dim
  defp state_tone(:running), do: :good
  defp state_tone(:frozen), do: :blue
  defp state_tone(:backoff), do: :bad
  defp state_tone(_under_way), do: :warn
end
