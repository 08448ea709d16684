defmodule Vial.Step do
  @moduledoc """
  One step of a deployment, with its own time.

  `ended_at` is `nil` while it runs. `outcome` says what came of it, where there is something to
  say: `"3 requests were cut off"`.
  """

  @type t :: %__MODULE__{
          status: Vial.Deployment.status(),
          started_at: DateTime.t(),
          ended_at: DateTime.t() | nil,
          outcome: String.t() | nil
        }

  defstruct [:status, :started_at, :ended_at, :outcome]

  defimpl Inspect do
    def inspect(step, opts) do
      until = step.ended_at || DateTime.utc_now()
      took = step.started_at && " " <> Vial.Look.took(Vial.Look.millis(step.started_at, until))
      said = if step.outcome, do: ": #{Vial.Text.word(step.outcome)}"
      Vial.Shown.sentence("Vial.Step", "#{step.status}#{took}#{said}", opts)
    end
  end
end
