defmodule Vial.Health do
  @moduledoc """
  What the last health check of a slot said: whether it passed, what was seen (`"200 in 3 ms"`,
  `"connection refused"`), and since when it has said so.
  """

  @type t :: %__MODULE__{healthy: boolean, detail: String.t(), since: DateTime.t()}

  defstruct [:healthy, :detail, :since]
end
