defmodule Vial.Log.Line do
  @moduledoc """
  One line of a log: the offset of its first byte, and its text without the line break.

  The text is as the release wrote it, and can hold anything that a terminal obeys.
  """

  @type t :: %__MODULE__{at: non_neg_integer, text: String.t()}

  defstruct [:at, :text]
end
