defmodule Vial.Daemon do
  @moduledoc """
  The daemon itself, and every application under its care.

  `problems` are configuration files that could not be read: the applications in them go on as they
  were.
  """

  @type t :: %__MODULE__{
          version: String.t(),
          pid: pos_integer,
          started_at: DateTime.t(),
          apps: [Vial.Status.t()],
          problems: [Vial.Error.t()]
        }

  defstruct [:version, :pid, :started_at, apps: [], problems: []]

  defimpl Inspect do
    def inspect(daemon, opts) do
      Vial.Shown.lines(Vial.View.Status.all(daemon, Vial.Look.inspect(opts)))
    end
  end
end
