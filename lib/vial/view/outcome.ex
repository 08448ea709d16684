defmodule Vial.View.Outcome do
  @moduledoc false
  # How a deployment went, in a sentence.

  alias Vial.{Deployment, Error, Look, Text, View}

  @doc "What is said of a deployment that has ended."
  @spec render(String.t(), Deployment.t(), Vial.Plan.t() | nil, Look.t()) :: String.t()
  def render(app, deployment, plan, look) do
    case result(app, deployment) do
      {:ok, deployment} -> success(deployment, plan, look)
      {:error, error} -> View.Problem.render(error, lead(deployment), look)
    end
  end

  @doc "What came of it, for programs."
  @spec result(String.t(), Deployment.t()) :: {:ok, Deployment.t()} | {:error, Error.t()}
  def result(_app, %{status: status} = deployment) when status in [:succeeded, :superseded],
    do: {:ok, deployment}

  def result(_app, %{error: %Error{} = error}), do: {:error, error}

  def result(app, %{status: :rolled_back} = deployment) do
    by = deployment.rolled_back_by
    who = if by, do: "deployment ##{by}", else: "a rollback"

    failed(
      :bake_failed,
      "#{subject(deployment)} was live until #{who} took it back.",
      app,
      by || deployment.number
    )
  end

  def result(app, %{status: :cancelled} = deployment) do
    failed(
      :cancelled,
      "Deployment ##{deployment.number} ended before it was live.",
      app,
      deployment.number
    )
  end

  def result(app, deployment) do
    failed(
      :internal,
      "Deployment ##{deployment.number} failed without a reason.",
      app,
      deployment.number
    )
  end

  @doc "What is said the moment the release takes the traffic, while the deployment goes on."
  @spec live(Deployment.t(), boolean, Look.t()) :: String.t()
  def live(deployment, left?, look) do
    since = if at = deployment.live_at, do: " since #{Look.clock(look, at)}"

    # A rollback has no bake: what it leaves is known to be bad.
    now =
      cond do
        left? -> "now the slot that this console is on drains, and is stopped."
        deployment.kind == :rollback -> "now the other slot drains."
        true -> "now it bakes."
      end

    "#{Look.paint(look, :good, "Live:")} #{subject(deployment)} serves#{since}; #{now}"
  end

  @doc "What a deployment is of."
  @spec subject(Deployment.t()) :: String.t()
  def subject(%{release: nil, number: number}), do: "deployment ##{number}"
  def subject(%{release: release}), do: Look.label(release)

  defp lead(%{status: :rolled_back}), do: "Taken back: "
  defp lead(%{status: :cancelled}), do: "Cancelled: "
  defp lead(deployment), do: "Not #{done(deployment.kind)}: "

  defp success(deployment, plan, look) do
    took = if at = deployment.live_at, do: Look.took(Look.millis(deployment.queued_at, at))
    details = Enum.filter([took, cut_off(deployment)], & &1)
    details = if details == [], do: "", else: " (#{Enum.join(details, ", ")})"
    since = if at = deployment.live_at, do: " since #{Look.clock(look, at)}"
    done = deployment.kind |> done() |> String.capitalize()

    later =
      if deployment.status == :superseded, do: " A later deployment has followed it.", else: ""

    "#{Look.paint(look, :good, done <> ":")} #{Look.paint(look, :bold, subject(deployment))} " <>
      "serves#{since}#{details}.#{migrations(deployment, plan)}#{later}\n"
  end

  defp cut_off(deployment) do
    drain = deployment.steps |> Enum.reverse() |> Enum.find(&(&1.status == :draining))

    case drain do
      %{outcome: outcome} when is_binary(outcome) ->
        outcome |> Text.word() |> String.trim_trailing(".")

      %{ended_at: ended} when ended != nil ->
        "0 requests cut off"

      _none ->
        nil
    end
  end

  defp migrations(%{kind: :rollback, reverted: [_ | _] = reverted}, _plan) do
    " Reverted: #{Enum.map_join(reverted, ", ", &Integer.to_string(&1.version))}."
  end

  defp migrations(%{kind: :rollback, applied: [_ | _] = applied}, _plan) do
    " Migrated: #{Enum.map_join(applied, ", ", &Integer.to_string(&1.version))}."
  end

  defp migrations(%{kind: :rollback} = deployment, %{migrations: [_ | _] = migrations}) do
    count = length(migrations)
    stay = if count == 1, do: "stays", else: "stay"
    " Migrations unchanged: #{count} that #{subject(deployment)} does not know #{stay}."
  end

  defp migrations(%{kind: :rollback}, _plan), do: " Migrations unchanged."
  defp migrations(_deployment, _plan), do: ""

  defp failed(reason, message, app, number) do
    {:error,
     %Error{reason: reason, message: message, next: "`vial show #{Text.word(app)} #{number}`"}}
  end

  defp done(:deploy), do: "deployed"
  defp done(:rollback), do: "rolled back"
  defp done(:redeploy), do: "redeployed"
  defp done(:restart), do: "restarted"
end
