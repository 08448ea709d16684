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
end
