defmodule Vial.Log do
  @moduledoc """
  Part of a slot's log: whole lines, oldest first.

  `cursor` is where to read on: the offset after the last line, a count of bytes that never moves
  back.
  """

  @type t :: %__MODULE__{
          slot: Vial.slot(),
          lines: [Vial.Log.Line.t()],
          cursor: non_neg_integer
        }

  defstruct [:slot, :cursor, lines: []]
end
