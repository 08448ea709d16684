defmodule Vial.Migrations.Report do
  @moduledoc """
  Which migrations are applied, as one release sees it.

  `release` is the release that was asked, by its number, and `label` what people call it.
  """

  @type t :: %__MODULE__{
          release: pos_integer,
          label: String.t(),
          migrations: [Vial.Migrations.State.t()]
        }

  defstruct [:release, :label, migrations: []]

  defimpl Inspect do
    def inspect(report, opts) do
      Vial.Shown.lines(Vial.View.Migrations.table(report, Vial.Look.inspect(opts)))
    end
  end
end
