defmodule Vial.Release do
  @moduledoc """
  A release under Vial's care: an unpacked, immutable `mix release` folder.

  `number` is that of the deployment that brought it. `sha256` is that of the archive as it was
  received, `size` the bytes that the files take when unpacked.
  """

  @type t :: %__MODULE__{
          number: pos_integer,
          name: String.t(),
          version: String.t(),
          sha256: String.t(),
          size: non_neg_integer,
          erts: String.t() | nil,
          elixir: String.t() | nil,
          migrations: [Vial.Migration.t()],
          unpacked_at: DateTime.t(),
          commit: String.t() | nil
        }

  defstruct [
    :number,
    :name,
    :version,
    :sha256,
    :size,
    :erts,
    :elixir,
    :unpacked_at,
    :commit,
    migrations: []
  ]

  defimpl Inspect do
    def inspect(release, opts) do
      %{version: version, number: number} = release
      Vial.Shown.sentence("Vial.Release", "v#{Vial.Text.word(version)} (##{number})", opts)
    end
  end
end
