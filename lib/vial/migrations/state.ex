defmodule Vial.Migrations.State do
  @moduledoc """
  One migration as a release sees it in a repository's database.

  `name` is `nil` where it was applied and the release has no file of it. `migration` is what Vial
  read in its file, where the release has one.
  """

  @type t :: %__MODULE__{
          repo: String.t(),
          version: pos_integer,
          name: String.t() | nil,
          applied: :up | :down,
          migration: Vial.Migration.t() | nil
        }

  defstruct [:repo, :version, :name, :applied, :migration]
end
