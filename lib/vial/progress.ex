defmodule Vial.Progress do
  @moduledoc false
  # A deployment's steps as they happen: each finished one is printed once.

  alias Vial.{Deployment, Look, Text, View, Watch}

  @doc """
  Follows an accepted deployment, prints its steps and how it went, and returns what came of it.

  Options beside those of every call: `plan:`, the plan that was agreed to; `quiet:`, to print
  nothing.
  """
  @spec follow(String.t(), pos_integer, keyword) ::
          {:ok, Deployment.t()} | {:error, Vial.Error.t()}
  def follow(app, number, opts) do
    printed = %{app: app, steps: 0, live: false}

    with {:ok, deployment} <- Watch.run(app, number, opts, printed, &told(&1, &2, opts)) do
      say(opts, fn look -> View.Outcome.render(app, deployment, opts[:plan], look) end)
      View.Outcome.result(app, deployment)
    end
  end

  @doc "Prints what a function makes of the console's look, unless `quiet: true`."
  @spec say(keyword, (Look.t() -> String.t())) :: :ok
  def say(opts, render) do
    if opts[:quiet], do: :ok, else: IO.puts(String.trim_trailing(render.(Look.console()), "\n"))
  end

  @doc "Whether a deployment leaves the slot that this node runs in."
  @spec leaves?(String.t(), Vial.slot() | nil, keyword) :: boolean
  def leaves?(app, slot, opts) do
    Vial.slot?() and slot != nil and slot != Vial.slot() and app == Vial.app() and
      (opts[:socket] || Vial.socket()) == Vial.socket()
  end

  @doc "What is said before this node's own slot is left."
  @spec leaving(String.t(), Deployment.kind()) :: String.t()
  def leaving(app, kind) do
    {what, stopped} =
      case kind do
        :rollback -> {"rollback", "when the requests in flight have ended"}
        kind -> {to_string(kind), "when the bake has ended"}
      end

    """
    This console is on #{Vial.slot()}, which is the slot that is left: it will be stopped
    #{stopped}. The #{what} goes on without it: `vial status #{Text.word(app)}`.
    """
  end

  defp told({:deployment, deployment}, printed, opts) do
    fresh =
      deployment.steps |> Enum.drop(printed.steps) |> Enum.take_while(&finished?(&1, deployment))

    for step <- fresh, do: say(opts, fn look -> step(step, deployment, look) end)
    live? = Deployment.live?(deployment)

    if live? and not printed.live do
      left? = leaves?(printed.app, deployment.slot, opts)
      say(opts, fn look -> View.Outcome.live(deployment, left?, look) end)
    end

    %{printed | steps: printed.steps + length(fresh), live: printed.live or live?}
  end

  defp told({:lost, _error}, printed, opts) do
    say(opts, fn _look ->
      "Connection to the daemon lost; the deployment goes on without it. Reconnecting…"
    end)

    printed
  end

  defp told(:back, printed, opts) do
    say(opts, fn _look -> "Connected again." end)
    printed
  end

  defp finished?(step, deployment),
    do: step.ended_at != nil or not Deployment.in_progress?(deployment)

  @doc "One step in a line: \"Deploying  starting     861 ms\"."
  @spec step(Vial.Step.t(), Deployment.t(), Look.t()) :: String.t()
  def step(step, deployment, look) do
    {stage, name} = {Deployment.stage(step.status), Atom.to_string(step.status)}
    # A stage of one step goes by its own name alone.
    name = if String.downcase(stage) == name, do: "", else: name
    until = step.ended_at || deployment.ended_at || look.now
    took = Look.took(Look.millis(step.started_at, until))
    outcome = if step.outcome, do: "  " <> Text.word(step.outcome), else: ""

    String.pad_trailing(stage, 9) <>
      "  " <> String.pad_trailing(name, 9) <> "  " <> String.pad_leading(took, 9) <> outcome
  end
end
