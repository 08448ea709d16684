defmodule Mix.Tasks.Vial.Rollback do
  @shortdoc "Puts the previous release back"
  @moduledoc """
  Puts the previous release back, or any retained one.

  Shows the plan and, on a terminal, asks. Needs no build, and leaves the database alone unless it is
  told otherwise.

      mix vial.rollback --host deploy@www.example.com
      mix vial.rollback --plan                what it would do, and nothing more
      mix vial.rollback --to 5 --yes          the release of deployment 5, without a question

    * `--plan`: print what it would do, and do nothing
    * `--to N`: go back to the release of this deployment
    * `--reason TEXT`: why, for the history
    * `--keep-migrations`, `--revert-migrations`: what shall become of the migrations that the release
      does not know. Where a destructive one is among them, one of the two must be said, or answered
      on a terminal.
    * `--force`: go ahead where Vial would ask: keep them where nothing else was said
    * `--cancel`: cancel a deployment in progress first
    * `--detach`: return once it is accepted, and let it go on
    * `--yes`, `-y`: do not ask

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{Change, Error, Task, View}

  @settings [
    lead: "Not rolled back: ",
    switches: [
      plan: :boolean,
      to: :integer,
      reason: :string,
      keep_migrations: :boolean,
      revert_migrations: :boolean,
      force: :boolean,
      cancel: :boolean,
      detach: :boolean,
      yes: :boolean
    ],
    aliases: [y: :yes]
  ]

  @impl true
  def run(argv) do
    Task.run(argv, [task: __MODULE__] ++ @settings, fn given, [] ->
      if given[:keep_migrations] && given[:revert_migrations],
        do: {:usage, "--keep-migrations and --revert-migrations exclude each other."},
        else: start(given, options(given))
    end)
  end

  defp options(given) do
    migrations =
      cond do
        given[:keep_migrations] -> [migrations: :keep]
        given[:revert_migrations] -> [migrations: :revert]
        true -> []
      end

    wait = if given[:detach], do: [wait: false], else: []
    Keyword.take(given, [:app, :socket, :to, :reason, :force, :cancel]) ++ migrations ++ wait
  end

  defp start(given, opts) do
    with {:ok, plan} <- Change.plan(opts) do
      Task.show(&View.Plan.render(plan, &1))
      if given[:plan], do: :ok, else: decide(plan, given, opts)
    end
  end

  # Someone can say what shall become of the migrations. What they then agree to is another plan.
  defp decide(%{database: {:choose, choices}} = plan, given, opts) do
    if Task.asks?(given) and opts[:migrations] == nil and not Keyword.get(opts, :force, false) do
      case choose(choices) do
        nil -> unchanged()
        choice -> start(given, Keyword.put(opts, :migrations, choice))
      end
    else
      Change.rollback(plan, opts, &call/1)
    end
  end

  defp decide(plan, given, opts) do
    if Task.agreed?(given, "Roll back?"), do: go(plan, given, opts), else: unchanged()
  end

  defp go(plan, given, opts) do
    case Change.rollback(plan, opts, &call/1) do
      # Someone can agree to the new plan as well.
      {:error, %Error{reason: :stale_plan, plan: %Vial.Plan{} = new} = error} ->
        if Task.asks?(given) do
          IO.puts(:stderr, "The plan has changed meanwhile:")
          Task.show(&View.Plan.render(new, &1))
          decide(new, given, opts)
        else
          {:error, error}
        end

      answer ->
        answer
    end
  end

  defp choose(choices) do
    words = Enum.map(choices, &Atom.to_string/1)
    answer = Mix.shell().prompt("Migrations: #{Enum.join(words, " or ")}? (anything else leaves)")

    case answer |> to_string() |> String.trim() |> String.downcase() do
      "keep" -> :keep
      "revert" -> if :revert in choices, do: :revert
      _other -> nil
    end
  end

  defp unchanged do
    IO.puts(:stderr, "Nothing was changed.")
    exit({:shutdown, 3})
  end

  defp call(choice), do: "mix vial.rollback --#{choice}-migrations"
end
