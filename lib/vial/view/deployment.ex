defmodule Vial.View.Deployment do
  @moduledoc false
  # An app's deployments, as a table and one by one.

  alias Vial.{Deployment, Look, Table, Text}

  @titles [" #", "Kind", "Release…", "Status", "Slot", "By…", "When", " Took", "Why…"]

  @doc "The history, newest first."
  @spec table(String.t(), [Deployment.t()], Look.t()) :: String.t()
  def table(app, [], _look) do
    "#{Text.word(app)} has no deployment yet. Next: `vial deploy #{Text.word(app)} PATH`.\n"
  end

  def table(_app, deployments, look) do
    rows =
      Enum.map(deployments, fn deployment ->
        taken = taken(deployment)

        [
          Integer.to_string(deployment.number),
          {Atom.to_string(deployment.kind),
           if(deployment.kind == :rollback, do: :warn, else: :plain)},
          Look.label(deployment.release),
          {status(deployment), Look.status_tone(deployment.status)},
          deployment.slot && {Atom.to_string(deployment.slot), Look.slot_tone(deployment.slot)},
          Text.word(deployment.actor),
          Look.short_clock(look, deployment.queued_at),
          taken && Look.took(taken),
          why(deployment)
        ]
      end)

    Table.render(@titles, rows, look)
  end

  @doc "One deployment in a line: \"#6 rollback to v2.0.0 by anna, Succeeded\"."
  @spec line(Deployment.t()) :: String.t()
  def line(deployment) do
    taken = taken(deployment)
    taken = if taken && not Deployment.in_progress?(deployment), do: " (#{Look.took(taken)})"

    why =
      case why(deployment) do
        "" -> ""
        why -> ": " <> why
      end

    "#{of(deployment)}, #{status(deployment)}#{taken}#{why}"
  end

  @doc "A deployment as it is named in a line: \"#7 deploy of v2.0.0 by anna\"."
  @spec of(Deployment.t()) :: String.t()
  def of(deployment) do
    word = if deployment.kind == :rollback, do: "to", else: "of"
    release = if deployment.release, do: " #{word} #{Look.label(deployment.release)}"
    "##{deployment.number} #{deployment.kind}#{release} by #{Text.word(deployment.actor)}"
  end

  @doc "A deployment's status as people read it."
  @spec status(Deployment.t()) :: String.t()
  def status(%{status: :rolled_back, rolled_back_by: by}) when by != nil,
    do: "Rolled Back by ##{by}"

  def status(%{status: status}), do: Deployment.stage(status)

  # How long it was under way: until it was live, since what follows is waiting; else to its end.
  defp taken(deployment) do
    finish = deployment.live_at || deployment.ended_at
    finish && Look.millis(deployment.queued_at, finish)
  end

  defp why(%{error: %{message: message}}), do: Text.word(message)
  defp why(%{reason: reason}), do: Text.word(reason)
end
