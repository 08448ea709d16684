defmodule Vial.Migrations.Migrated do
  @moduledoc """
  What was moved: the release that did it, the migrations in the order in which they were moved, and
  what was done, for a person.
  """

  @type t :: %__MODULE__{
          release: pos_integer,
          moved: [Vial.Migrations.Moved.t()],
          message: String.t()
        }

  defstruct [:release, :message, moved: []]

  defimpl Inspect do
    def inspect(migrated, opts) do
      message = Vial.Text.word(migrated.message)
      Vial.Shown.sentence("Vial.Migrations.Migrated", message, opts)
    end
  end
end
