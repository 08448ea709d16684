defmodule Mix.Tasks.Vial.History do
  @shortdoc "Lists an application's deployments, newest first"
  @moduledoc """
  Lists an application's deployments, newest first.

      mix vial.history
      mix vial.history --limit 50 --host deploy@www.example.com

    * `--limit N`, `-n N`: how many; 20 unless it is said
    * `--before N`: those before the deployment of this number

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{Task, View}

  @settings [switches: [limit: :integer, before: :integer], aliases: [n: :limit]]

  @impl true
  def run(argv) do
    Task.run(argv, [task: __MODULE__] ++ @settings, fn opts, [] ->
      with {:ok, history} <- Vial.history(opts),
           do: Task.show(&View.Deployment.table(history.app, history.deployments, &1))
    end)
  end
end
