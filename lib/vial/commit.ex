defmodule Vial.Commit do
  @moduledoc """
  The commit that a deployment's release was built from.

  `reference` is what was asked for: a branch, a tag, or the whole id again. `subject` is the first
  line of the commit's message, as its author wrote it.
  """

  @type t :: %__MODULE__{sha: String.t(), reference: String.t(), subject: String.t()}

  defstruct [:sha, :reference, :subject]

  defimpl Inspect do
    def inspect(commit, opts) do
      short = String.slice(commit.sha, 0, 10)
      line = "#{short} of #{Vial.Text.word(commit.reference)}: #{Vial.Text.word(commit.subject)}"
      Vial.Shown.sentence("Vial.Commit", line, opts)
    end
  end
end
