defmodule Vial.Client.Stream do
  @moduledoc false
  # A stream that `Vial.Client.stream/2` opened: `ref` is in each of its messages.

  @enforce_keys [:ref, :native, :owner]
  defstruct [:ref, :native, :owner]

  @type t :: %__MODULE__{ref: reference, native: reference, owner: pid}
end
