defmodule Vial.Change do
  @moduledoc false
  # What changes something: the request, and following what comes of it.

  alias Vial.{API, Error, Look, Pack, Plan, Progress, Text, View}

  @doc "What a rollback would do."
  @spec plan(keyword) :: {:ok, Plan.t()} | {:error, Error.t()}
  def plan(opts) do
    query =
      opts
      |> Keyword.take([:to, :cancel, :migrations, :force])
      |> Enum.reject(&(elem(&1, 1) == false))

    API.get(opts, "/rollback", :plan, query)
  end

  @doc "Rolls back by this plan and no other, where it leaves nothing to be decided."
  @spec rollback(Plan.t(), keyword, (:keep | :revert -> String.t())) ::
          {:ok, Vial.Deployment.t() | Vial.Accepted.t()} | {:error, Error.t()}
  def rollback(plan, opts, call) do
    with :ok <- decided(plan, opts, call) do
      body = %{
        to: opts[:to],
        reason: opts[:reason],
        cancel: Keyword.get(opts, :cancel, false),
        digest: plan.digest,
        migrations: opts[:migrations],
        force: Keyword.get(opts, :force, false)
      }

      if Progress.leaves?(plan.app, plan.slot, opts),
        do: Progress.say(opts, fn _look -> Progress.leaving(plan.app, :rollback) end)

      opts = Keyword.merge(opts, app: plan.app, plan: plan)

      with {:ok, accepted} <- API.post(opts, "/rollback", :accepted, body),
           do: follow(accepted, opts)
    end
  end

  @doc "Brings a release, from its folder or its archive, and makes it active."
  @spec deploy(Path.t(), keyword) ::
          {:ok, Vial.Deployment.t() | Vial.Accepted.t()} | {:error, Error.t()}
  def deploy(path, opts) do
    allow = if opts[:allow_destructive], do: true
    query = [reason: opts[:reason], allow_destructive: allow]

    with {:ok, app} <- API.app(opts),
         {:ok, _socket} <- API.socket(opts),
         {:ok, accepted} <-
           Pack.with_archive(path, fn archive ->
             Progress.say(opts, fn _look -> "Sending    #{size(File.stat!(archive).size)}" end)
             sent = Keyword.delete(opts, :timeout)
             API.post(sent, "/deployments", :accepted, {:file, archive}, query)
           end) do
      follow(accepted, Keyword.put(opts, :app, app))
    end
  end

  @doc "Starts the active release again."
  @spec restart(keyword) ::
          {:ok, Vial.Deployment.t() | Vial.Accepted.t()} | {:error, Error.t()}
  def restart(opts) do
    body = %{reason: opts[:reason], in_place: Keyword.get(opts, :in_place, false)}

    with {:ok, app} <- API.app(opts),
         {:ok, accepted} <- API.post(opts, "/restart", :accepted, body),
         do: follow(accepted, Keyword.put(opts, :app, app))
  end

  @doc "Says what the idle slot shall do."
  @spec standby(Vial.Standby.mode(), keyword) :: {:ok, Vial.Accepted.t()} | {:error, Error.t()}
  def standby(mode, opts) do
    if mode not in [:cold, :warm, :frozen],
      do: raise(ArgumentError, "a standby is :cold, :warm or :frozen, got: #{inspect(mode)}")

    body =
      for {name, value} <- [mode: mode, for_ms: opts[:for]],
          value != nil,
          into: %{},
          do: {name, value}

    with {:ok, accepted} <- API.post(opts, "/standby", :accepted, body) do
      Progress.say(opts, fn _look -> Text.block(accepted.message) end)
      {:ok, accepted}
    end
  end

  @doc "Prints an error as the command line does, and passes it on."
  @spec shown({:ok, term} | {:error, Error.t()}, String.t(), keyword) ::
          {:ok, term} | {:error, Error.t()}
  def shown({:error, error} = answer, lead, opts) do
    Progress.say(opts, &View.Problem.render(error, lead, &1))
    answer
  end

  def shown(answer, _lead, _opts), do: answer

  defp follow(%{deployment: number} = accepted, opts) do
    cond do
      number == nil or opts[:wait] == false ->
        Progress.say(opts, fn _look -> Text.block(accepted.message) end)
        {:ok, accepted}

      true ->
        Progress.follow(opts[:app], number, opts)
    end
  end

  defp decided(%Plan{database: {:choose, choices}} = plan, opts, call) do
    if opts[:migrations] || opts[:force], do: :ok, else: {:error, undecided(plan, choices, call)}
  end

  defp decided(_plan, _opts, _call), do: :ok

  # The daemon would refuse as well; here it is known which call would be right.
  defp undecided(plan, choices, call) do
    to = Look.label(plan.to)
    done = Enum.join(View.Plan.in_the_way(plan), ", ")

    {knows, they} =
      if match?([_], View.Plan.in_the_way(plan)), do: {"it", "it"}, else: {"them", "they"}

    losses =
      case View.Plan.losses(plan) do
        [] -> ""
        losses -> " (#{Enum.join(losses, ", ")})"
      end

    revert =
      if :revert in choices,
        do: "`#{call.(:revert)}` reverts #{knows} first#{losses}; ",
        else: "#{they} cannot be reverted; "

    %Error{
      reason: :destructive,
      message:
        "#{done}: #{to} does not know #{knows}, and may fail on that schema. " <>
          "#{Look.label(plan.from)} still serves. Nothing has changed.",
      next: revert <> "`#{call.(:keep)}` leaves the database as it is",
      plan: plan
    }
  end

  defp size(bytes) do
    tenths = div(bytes, 104_858)
    "#{div(tenths, 10)}.#{rem(tenths, 10)} MiB"
  end
end
