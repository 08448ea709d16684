defmodule Vial.Rested do
  @moduledoc false
  # What the daemon answers where the library said that it is at rest: whether it froze this node
  # meanwhile.

  @type t :: %__MODULE__{frozen: boolean}

  defstruct frozen: false
end
