defmodule Vial.Slot do
  @moduledoc """
  One of the two slots of an application, now.

  `state` is what the slot does: `:stopped`, `:starting` (its release is not healthy yet),
  `:running`, `:resting` (it has no traffic and comes to rest, to be frozen), `:frozen`,
  `:stopping` (it was told to end) or `:backoff` (its release exited by itself and is started again
  soon). `standby` is what an idle slot is kept as for the next rollback, or `nil`. `restarts` counts
  how often the release exited by itself since it was last healthy for a minute, and `last_exit` says
  how its process ended last.
  """

  @type state ::
          :stopped | :starting | :running | :resting | :frozen | :stopping | :backoff

  @type t :: %__MODULE__{
          slot: Vial.slot(),
          state: state,
          release: Vial.Release.t() | nil,
          port: :inet.port_number() | nil,
          node: String.t(),
          pid: pos_integer | nil,
          since: DateTime.t() | nil,
          restarts: non_neg_integer,
          health: Vial.Health.t() | nil,
          last_exit: String.t() | nil,
          standby: Vial.Standby.t() | nil
        }

  defstruct [
    :slot,
    :state,
    :release,
    :port,
    :node,
    :pid,
    :since,
    :health,
    :last_exit,
    :standby,
    restarts: 0
  ]

  defimpl Inspect do
    def inspect(slot, opts) do
      Vial.Shown.sentence("Vial.Slot", Vial.View.Status.slot(slot), opts)
    end
  end
end
