defmodule Vial.Migration do
  @moduledoc """
  One Ecto migration file inside a release, and what reading it has shown.

  `effect` is what its way up does to code that does not know it: `:additive`, `:destructive` (it
  drops, renames, narrows or constrains what the release before it may use) or `:unknown`.
  `reversal` says whether there is a way down. `does` and `loses` are phrases: what its way up does
  (`"drops users.name"`), and what its way down cannot bring back (`"users.name comes back empty"`).

  `brought_by` is the deployment that first brought it. Only a plan fills it.
  """

  @type t :: %__MODULE__{
          version: pos_integer,
          name: String.t(),
          app: String.t(),
          folder: String.t(),
          effect: :additive | :destructive | :unknown,
          reversal: :reversible | :irreversible | :unknown,
          does: [String.t()],
          loses: [String.t()],
          brought_by: pos_integer | nil
        }

  defstruct [
    :version,
    :name,
    :app,
    :folder,
    :brought_by,
    effect: :unknown,
    reversal: :unknown,
    does: [],
    loses: []
  ]

  defimpl Inspect do
    def inspect(migration, opts) do
      Vial.Shown.sentence("Vial.Migration", Vial.View.Plan.migration(migration), opts)
    end
  end
end
