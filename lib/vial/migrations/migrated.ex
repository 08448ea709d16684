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
end
