defmodule Vial.Accepted do
  @moduledoc """
  What the daemon accepted: the number of the deployment that now is in progress or waits, and what
  was done, for a person. Without a number where no deployment came of it.
  """

  @type t :: %__MODULE__{deployment: pos_integer | nil, message: String.t()}

  defstruct [:deployment, :message]
end
