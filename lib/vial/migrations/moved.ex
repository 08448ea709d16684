defmodule Vial.Migrations.Moved do
  @moduledoc """
  A migration that was moved, up or down: its repository and its version.
  """

  @type t :: %__MODULE__{repo: String.t(), version: pos_integer}

  defstruct [:repo, :version]

  defimpl Inspect do
    def inspect(moved, opts) do
      line = "#{Vial.Text.word(moved.repo)} #{moved.version}"
      Vial.Shown.sentence("Vial.Migrations.Moved", line, opts)
    end
  end
end
