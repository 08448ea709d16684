defmodule Vial.Status do
  @moduledoc """
  What an application does now, as a numbered snapshot.

  `revision` counts up with each change and starts anew with the daemon. `active` is the slot that
  Caddy sends traffic to, `serving` the release in it; both are `nil` before the first deploy
  succeeded. `works` is the slot whose release may work queues and timers: the active one, once the
  release in the other came to rest, and `nil` until then. `deployment` is the deployment in progress,
  `queued` the one that waits for it, `last` the one that ended last. `rollback` says whether a rollback is possible, to what, or why not.
  `auto_deploy` is `nil` where the app is not built from a repository.
  """

  @type t :: %__MODULE__{
          name: String.t(),
          revision: non_neg_integer,
          desired: :running | :stopped,
          active: Vial.slot() | nil,
          works: Vial.slot() | nil,
          serving: Vial.Release.t() | nil,
          serving_since: DateTime.t() | nil,
          slots: [Vial.Slot.t()],
          deployment: Vial.Deployment.t() | nil,
          queued: Vial.Deployment.t() | nil,
          last: Vial.Deployment.t() | nil,
          rollback: Vial.Offer.t() | nil,
          route: Vial.Route.t() | nil,
          auto_deploy: Vial.AutoDeploy.t() | nil,
          warnings: [Vial.Error.t()]
        }

  defstruct [
    :name,
    :revision,
    :desired,
    :active,
    :works,
    :serving,
    :serving_since,
    :deployment,
    :queued,
    :last,
    :rollback,
    :route,
    :auto_deploy,
    slots: [],
    warnings: []
  ]

  defimpl Inspect do
    def inspect(status, opts) do
      line = Vial.View.Status.line(status, Vial.Look.inspect(opts))
      Vial.Shown.sentence("Vial.Status", line, opts)
    end
  end
end
