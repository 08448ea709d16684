defmodule Vial.Plan do
  @moduledoc """
  What a rollback would do, if it were asked for now.

  `hot` says whether the release still runs in its slot, so that only the switch is left to do, and
  `standby` what it is kept as there, where it is. `cancels` is the deployment in progress that would be cancelled first. `migrations` are those that
  the current release brought and the target does not know, `applies` those that the target brings
  where the way goes forward; both are oldest first.

  `database` is what happens to the database:

    * `:unchanged`: no migration stands between the two releases
    * `:keep`: they stay, as asked for, or because none of them is known to be destructive
    * `{:revert, versions}`: they are reverted in the release that is left, newest first
    * `{:choose, choices}`: a destructive one stands in the way, and nobody said what shall become
      of it. A rollback is refused until somebody does; `:revert` is missing where one of them has
      no way down.

  `environment` is what its release starts with, see `Vial.Plan.Environment`.

  `digest` identifies the plan. A rollback that carries it is refused if the plan has changed since.
  """

  @type database ::
          :unchanged
          | :keep
          | {:revert, [pos_integer]}
          | {:choose, [:keep | :revert]}

  @type t :: %__MODULE__{
          app: String.t(),
          from: Vial.Release.t(),
          from_deployment: pos_integer,
          to: Vial.Release.t(),
          to_deployment: pos_integer,
          to_last_live_at: DateTime.t() | nil,
          to_served_ms: non_neg_integer | nil,
          to_health: String.t() | nil,
          expected_ms: non_neg_integer | nil,
          slot: Vial.slot(),
          hot: boolean,
          standby: Vial.Standby.t() | nil,
          cancels: pos_integer | nil,
          migrations: [Vial.Migration.t()],
          applies: [Vial.Migration.t()],
          database: database,
          environment: Vial.Plan.Environment.t(),
          warnings: [String.t()],
          digest: String.t()
        }

  defstruct [
    :app,
    :from,
    :from_deployment,
    :to,
    :to_deployment,
    :to_last_live_at,
    :to_served_ms,
    :to_health,
    :expected_ms,
    :slot,
    :standby,
    :cancels,
    :database,
    :digest,
    hot: false,
    migrations: [],
    applies: [],
    environment: %Vial.Plan.Environment{},
    warnings: []
  ]

  defimpl Inspect do
    def inspect(plan, opts) do
      Vial.Shown.lines(Vial.View.Plan.render(plan, Vial.Look.inspect(opts)))
    end
  end
end
