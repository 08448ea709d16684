defmodule Vial.View.Problem do
  @moduledoc false
  # Refusals and failures, as someone tired at 3 a.m. reads them.

  alias Vial.{Look, Text}

  # Lines of a log that show a cause without hiding it.
  @log_lines 20

  @doc "A problem behind `lead`: the message, the log behind a gutter, and what to do next."
  @spec render(Vial.Error.t(), String.t(), Look.t()) :: String.t()
  def render(error, lead, look) do
    message = Text.block(error.message, look.colour)
    # A message that begins as the lead does need not say it twice.
    lead = if String.starts_with?(message, String.trim_trailing(lead, ": ")), do: "", else: lead

    log =
      error.log
      |> Enum.take(-@log_lines)
      |> Enum.flat_map(&String.split(&1, "\n"))
      |> Enum.map(&[Look.paint(look, :dim, "  │ "), Text.line(&1, look.colour), "\n"])

    IO.iodata_to_binary([Look.paint(look, :bold, lead), message, "\n", log, next(error, look)])
  end

  @doc "A problem that a status warns of."
  @spec warning(Vial.Error.t(), String.t(), Look.t()) :: String.t()
  def warning(error, lead, look) do
    [first | rest] = error |> render(lead, look) |> String.split("\n", trim: true)

    Enum.join([Look.paint(look, :bad, "!") <> " " <> first | Enum.map(rest, &("  " <> &1))], "\n") <>
      "\n"
  end

  @doc "A problem in one line."
  @spec line(Vial.Error.t()) :: String.t()
  def line(%{message: message, next: next}) do
    message = Text.word(message)
    if next, do: "#{message} Next: #{Text.word(next)}", else: message
  end

  defp next(%{next: nil}, _look), do: ""

  defp next(%{next: next}, look),
    do: [Look.paint(look, :bold, "Next:"), " ", Text.block(next, look.colour), "\n"]
end
