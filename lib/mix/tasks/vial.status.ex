defmodule Mix.Tasks.Vial.Status do
  @shortdoc "Shows what serves, its health, and what is in progress"
  @moduledoc """
  Shows what serves, its health, and what is in progress.

      mix vial.status
      mix vial.status --host deploy@www.example.com
      mix vial.status --all

    * `--all`: every application of the host, a line each

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{Task, View}

  @impl true
  def run(argv) do
    Task.run(argv, [task: __MODULE__, switches: [all: :boolean]], fn opts, [] ->
      {all?, opts} = Keyword.pop(opts, :all, false)
      if all?, do: all(opts), else: one(opts)
    end)
  end

  defp one(opts) do
    with {:ok, status} <- Vial.status(opts), do: Task.show(&View.Status.app(status, &1))
  end

  defp all(opts) do
    with {:ok, daemon} <- opts |> Keyword.delete(:app) |> Vial.daemon(),
         do: Task.show(&View.Status.all(daemon, &1))
  end
end
