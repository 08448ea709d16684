defmodule Vial.Standby do
  @moduledoc """
  What an idle slot is kept as for the next rollback.

  `mode` is `:warm` (its release runs, without traffic) or `:frozen` (it came to rest and was
  stopped; it takes memory and no processor). While `ready` is `false` the release starts, or comes
  to rest. `since` says since when it is so, `until` when the slot is stopped, and `expected_ms` how
  long a rollback to it takes, `nil` where there was none to tell from.
  """

  @type mode :: :cold | :warm | :frozen

  @type t :: %__MODULE__{
          mode: mode,
          ready: boolean,
          since: DateTime.t(),
          until: DateTime.t(),
          expected_ms: non_neg_integer | nil
        }

  defstruct [:mode, :ready, :since, :until, :expected_ms]

  defimpl Inspect do
    def inspect(standby, opts) do
      line = Vial.View.Standby.line(standby, Vial.Look.inspect(opts))
      Vial.Shown.sentence("Vial.Standby", line, opts)
    end
  end
end
