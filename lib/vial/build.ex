defmodule Vial.Build do
  @moduledoc """
  What a deployment builds, as it was asked for.

  `reference` is a branch, a tag or a whole commit id. `sha` and `of` are there for a redeploy: the
  commit, and the deployment that built it first. `trigger` is what made it begin: `:by_hand`,
  `:push`, `:webhook` or `:poll`.
  """

  @type trigger :: :by_hand | :push | :webhook | :poll

  @type t :: %__MODULE__{
          reference: String.t(),
          sha: String.t() | nil,
          of: pos_integer | nil,
          trigger: trigger,
          allow_destructive: boolean
        }

  defstruct [:reference, :sha, :of, trigger: :by_hand, allow_destructive: false]

  defimpl Inspect do
    def inspect(build, opts) do
      again = if build.of, do: " as ##{build.of}"
      line = "#{Vial.Text.word(build.reference)}#{again}, #{build.trigger}"
      Vial.Shown.sentence("Vial.Build", line, opts)
    end
  end
end
