defmodule Vial.Evaluated do
  @moduledoc """
  What a release's script printed, and how it ended.

  `status` is the exit status, and `nil` where a signal ended it. `truncated` says whether output
  was left out.
  """

  @type t :: %__MODULE__{output: String.t(), status: integer | nil, truncated: boolean}

  defstruct [:output, :status, truncated: false]
end
