defmodule Vial.Migrations.Moved do
  @moduledoc """
  A migration that was moved, up or down: its repository and its version.
  """

  @type t :: %__MODULE__{repo: String.t(), version: pos_integer}

  defstruct [:repo, :version]
end
