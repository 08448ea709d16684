defmodule Vial.AutoDeploy do
  @moduledoc """
  Whether new commits are deployed by themselves, and what was seen of them.

  `tip` is the commit that `branch` stood for when it was looked at last, at `looked_at`. `note` says
  what comes of it where that is not clear of itself: that it was rolled back, and waits for the next
  commit. `failing` is there while the repository cannot be asked. `set_by` is who switched it; `nil`
  where it is as the app's file says. `poll_ms` is how often the repository is asked, if it is.
  """

  @type t :: %__MODULE__{
          on: boolean,
          branch: String.t(),
          set_by: String.t() | nil,
          poll_ms: pos_integer | nil,
          tip: String.t() | nil,
          looked_at: DateTime.t() | nil,
          note: String.t() | nil,
          failing: Vial.AutoDeploy.Failing.t() | nil
        }

  defstruct [:branch, :set_by, :poll_ms, :tip, :looked_at, :note, :failing, on: false]

  defimpl Inspect do
    def inspect(auto, opts) do
      on = if auto.on, do: "on, from #{Vial.Text.word(auto.branch)}", else: "off"

      why =
        cond do
          auto.failing ->
            "; the repository cannot be asked: #{Vial.Text.word(auto.failing.error)}"

          auto.note ->
            "; #{Vial.Text.word(auto.note)}"

          true ->
            ""
        end

      Vial.Shown.sentence("Vial.AutoDeploy", on <> why, opts)
    end
  end
end

defmodule Vial.AutoDeploy.Failing do
  @moduledoc """
  A repository that cannot be asked: since when, how often it was tried, what Git said, and when it
  is tried again.
  """

  @type t :: %__MODULE__{
          since: DateTime.t(),
          attempts: pos_integer,
          error: String.t(),
          next_at: DateTime.t()
        }

  defstruct [:since, :attempts, :error, :next_at]
end
