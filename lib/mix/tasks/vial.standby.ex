defmodule Mix.Tasks.Vial.Standby do
  @shortdoc "Keeps the idle slot ready for a rollback, or stops it"
  @moduledoc """
  Says what the idle slot shall do from now on, until the next deployment uses it.

      mix vial.standby frozen
      mix vial.standby warm --for 2h --host deploy@www.example.com
      mix vial.standby cold

  `frozen` lets its release come to rest and stops it: it takes memory and no processor, and a rollback
  to it takes milliseconds. `warm` lets it run without traffic. `cold` stops it. Where nothing runs in
  the slot, the release that a rollback would go to is started for it.

    * `--for TIME`: how long, before it is stopped: `90s`, `15m`, `2h`; as the application's file says
      where it is not given

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{Change, Task}

  @modes %{"cold" => :cold, "warm" => :warm, "frozen" => :frozen}
  @units %{"ms" => 1, "s" => 1_000, "m" => 60_000, "h" => 3_600_000}

  @settings [lead: "Not changed: ", switches: [for: :string], args: 1]

  @impl true
  def run(argv) do
    Task.run(argv, [task: __MODULE__] ++ @settings, fn given, args ->
      with {:ok, mode} <- mode(args), {:ok, span} <- span(given[:for]) do
        Change.standby(mode, Keyword.take(given, [:app, :socket]) ++ span)
      end
    end)
  end

  defp mode([word]) when is_map_key(@modes, word), do: {:ok, @modes[word]}

  defp mode([word]),
    do: {:usage, "#{inspect(word)} is no standby: it is cold, warm or frozen."}

  defp mode([]), do: {:usage, "What the idle slot shall do is missing: cold, warm or frozen."}

  defp span(nil), do: {:ok, []}

  defp span(text) do
    case Regex.run(~r/\A(\d{1,9})(ms|s|m|h)\z/, text) do
      [_, number, unit] -> {:ok, [for: String.to_integer(number) * @units[unit]]}
      nil -> {:usage, "--for is a time as 90s, 15m or 2h, not #{inspect(text)}."}
    end
  end
end
