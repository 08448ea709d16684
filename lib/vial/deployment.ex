defmodule Vial.Deployment do
  @moduledoc """
  One attempt to make a release active: a row of an application's history.

  Its `kind` says what it does: `:deploy` brings a release, `:rollback` makes a retained one active
  again, `:redeploy` builds the commit of an earlier deployment afresh, and `:restart` starts the
  active release again.

  Its `status` is one of

    * in progress: `:queued`, `:building`, `:unpacking`, `:migrating`, `:starting`, `:reverting`,
      `:verifying`, `:restoring`, `:switching`
    * in progress, and its release has the traffic: `:draining`, `:baking`
    * ended: `:succeeded`, `:failed`, `:cancelled`, `:rolled_back` (it was live, and a rollback took
      it back), `:superseded` (it was live until a later deployment succeeded)

  `applied` are the migrations that its `migrate` applied, `reverts` the versions that it was asked
  to revert, `reverted` those that are down because of it. `steps` is filled only where one
  deployment is asked for, and empty in lists.
  """

  @type kind :: :deploy | :rollback | :redeploy | :restart

  @type status ::
          :queued
          | :building
          | :unpacking
          | :migrating
          | :starting
          | :reverting
          | :verifying
          | :restoring
          | :switching
          | :draining
          | :baking
          | :succeeded
          | :failed
          | :cancelled
          | :rolled_back
          | :superseded

  @type t :: %__MODULE__{
          number: pos_integer,
          kind: kind,
          status: status,
          release: Vial.Release.t() | nil,
          slot: Vial.slot() | nil,
          replaces: pos_integer | nil,
          rolled_back_by: pos_integer | nil,
          actor: String.t(),
          reason: String.t() | nil,
          error: Vial.Error.t() | nil,
          queued_at: DateTime.t(),
          live_at: DateTime.t() | nil,
          ended_at: DateTime.t() | nil,
          applied: [Vial.Migrations.Moved.t()],
          reverts: [pos_integer],
          reverted: [Vial.Migrations.Moved.t()],
          steps: [Vial.Step.t()]
        }

  defstruct [
    :number,
    :kind,
    :status,
    :release,
    :slot,
    :replaces,
    :rolled_back_by,
    :actor,
    :reason,
    :error,
    :queued_at,
    :live_at,
    :ended_at,
    applied: [],
    reverts: [],
    reverted: [],
    steps: []
  ]
end
