defmodule Vial.Log do
  @moduledoc """
  Part of a slot's log: whole lines, oldest first.

  `cursor` is where to read on: the offset after the last line, a count of bytes that never moves
  back. `gap` says how many bytes before these lines were asked for and are no longer kept.
  """

  @type t :: %__MODULE__{
          slot: Vial.slot(),
          lines: [Vial.Log.Line.t()],
          cursor: non_neg_integer,
          gap: non_neg_integer
        }

  defstruct [:slot, :cursor, lines: [], gap: 0]

  defimpl Inspect do
    def inspect(log, opts) do
      colour? = Vial.Look.inspect(opts).colour
      lines = Enum.map_join(log.lines, "\n", &Vial.Text.line(&1.text, colour?))

      case lines do
        "" -> Vial.Shown.sentence("Vial.Log", "#{log.slot}: nothing", opts)
        lines -> Vial.Shown.lines(lines)
      end
    end
  end
end
