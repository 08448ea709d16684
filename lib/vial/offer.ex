defmodule Vial.Offer do
  @moduledoc """
  Whether a rollback would be accepted now: the release that it would go back to, or why it would be
  refused.
  """

  @type t :: %__MODULE__{target: Vial.Release.t() | nil, refusal: Vial.Error.t() | nil}

  defstruct [:target, :refusal]
end
