defmodule Vial.Accepted do
  @moduledoc """
  What the daemon accepted: the number of the deployment that now is in progress or waits, and what
  was done, for a person. Without a number where no deployment came of it.
  """

  @type t :: %__MODULE__{deployment: pos_integer | nil, message: String.t()}

  defstruct [:deployment, :message]

  defimpl Inspect do
    def inspect(accepted, opts) do
      Vial.Shown.sentence("Vial.Accepted", Vial.Text.word(accepted.message), opts)
    end
  end
end
