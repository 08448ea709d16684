defmodule Vial.Route do
  @moduledoc """
  The route of an application through Caddy: its mode, `"file"` or `"admin"`, the host names that it
  answers to, and what is wrong with it, if anything is.
  """

  @type t :: %__MODULE__{mode: String.t(), hosts: [String.t()], problem: Vial.Error.t() | nil}

  defstruct [:mode, :problem, hosts: []]
end
