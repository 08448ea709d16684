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
  to revert, `reverted` those that are down because of it. `build` is what it builds, where its
  release does not come as an archive, and `commit` what that turned out to be. `steps` is filled only where one
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
          build: Vial.Build.t() | nil,
          commit: Vial.Commit.t() | nil,
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
    :build,
    :commit,
    applied: [],
    reverts: [],
    reverted: [],
    steps: []
  ]

  @live [:draining, :baking]
  @before_live [
    :queued,
    :building,
    :unpacking,
    :migrating,
    :starting,
    :reverting,
    :verifying,
    :restoring,
    :switching
  ]

  @doc """
  Whether the deployment is still in progress.

  ## Examples

      iex> Vial.Deployment.in_progress?(%Vial.Deployment{status: :baking})
      true

      iex> Vial.Deployment.in_progress?(%Vial.Deployment{status: :succeeded})
      false

  """
  @spec in_progress?(t) :: boolean
  def in_progress?(%__MODULE__{status: status}), do: status in @before_live or status in @live

  @doc """
  Whether the deployment's release has taken the traffic and the deployment goes on.

  ## Examples

      iex> Vial.Deployment.live?(%Vial.Deployment{status: :draining})
      true

      iex> Vial.Deployment.live?(%Vial.Deployment{status: :starting})
      false

  """
  @spec live?(t) :: boolean
  def live?(%__MODULE__{status: status}), do: status in @live

  @doc """
  What people read for a status: several steps share a stage.

  ## Examples

      iex> Vial.Deployment.stage(:unpacking)
      "Deploying"

      iex> Vial.Deployment.stage(:rolled_back)
      "Rolled Back"

  """
  @spec stage(status) :: String.t()
  def stage(status) when status in [:unpacking, :starting], do: "Deploying"
  def stage(status) when status in [:migrating, :reverting, :restoring], do: "Migrating"
  def stage(status) when status in [:verifying, :switching], do: "Verifying"
  def stage(status) when status in @live, do: "Live"
  def stage(:rolled_back), do: "Rolled Back"
  def stage(status), do: status |> Atom.to_string() |> String.capitalize()

  defimpl Inspect do
    def inspect(deployment, opts) do
      Vial.Shown.sentence("Vial.Deployment", Vial.View.Deployment.line(deployment), opts)
    end
  end
end
