defmodule Mix.Tasks.Vial.Logs do
  @shortdoc "Prints a slot's log"
  @moduledoc """
  Prints a slot's log.

      mix vial.logs
      mix vial.logs --slot green --follow

    * `--slot blue|green`, `-s`: the active one unless it is said
    * `--follow`, `-f`: go on with what comes, until Ctrl-C
    * `--lines N`, `-n N`: how many lines of what is there; 100 unless it is said

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{Logs, Task}

  @settings [
    switches: [slot: :string, follow: :boolean, lines: :integer],
    aliases: [s: :slot, f: :follow, n: :lines]
  ]

  @impl true
  def run(argv) do
    Task.run(argv, [task: __MODULE__] ++ @settings, fn opts, [] ->
      case Keyword.fetch(opts, :slot) do
        :error -> print(opts)
        {:ok, "blue"} -> opts |> Keyword.put(:slot, :blue) |> print()
        {:ok, "green"} -> opts |> Keyword.put(:slot, :green) |> print()
        {:ok, other} -> {:usage, "--slot is blue or green, not #{inspect(other)}."}
      end
    end)
  end

  defp print(opts) do
    with {:ok, log} <- Vial.logs(opts), do: Logs.print(log)
  end
end
