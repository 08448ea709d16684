defmodule Vial.Error do
  @moduledoc """
  Why something was refused or failed.

  Every function of `Vial` that asks the daemon returns `{:error, error}` with one of these. It is an
  exception too, so that a script can `raise` it.

    * `reason`: an atom, for programs; see below
    * `message`: what happened and why, in whole sentences
    * `next`: the next thing to do, where there is one
    * `log`: the last lines of the log that show the cause
    * `plan`: the plan as it is now, where the caller's was stale

  ## Reasons

  Refusals of the daemon; nothing has changed: `:unknown_app`, `:not_found`, `:forbidden`,
  `:bad_request`, `:too_large`, `:in_progress`, `:nothing_in_progress`, `:already_live`,
  `:nothing_to_roll_back_to`, `:already_serving`, `:not_retained`, `:stale_plan`, `:key_reused`,
  `:nothing_deployed`, `:not_running`, `:wrong_state`, `:destructive`, `:irreversible`,
  `:configuration`, `:shutting_down`; and of the dashboard's address, which no application's console
  goes to: `:login_needed`, `:password_needed`, `:too_many_requests`, `:misdirected`, `:already_there`.

  Failures of a deployment: `:bad_release`, `:no_space`, `:build_failed`, `:migration_failed`,
  `:revert_failed`, `:start_failed`, `:exited`, `:unhealthy`, `:port_taken`, `:verify_failed`, `:switch_failed`,
  `:bake_failed`, `:interrupted`, `:cancelled`.

  Warnings of a status: `:crash_loop`, `:route`, `:active_unhealthy`, `:notification`. Anything else on
  the daemon's side: `:internal`.

  Between this node and the daemon:

    * `:no_socket`: Vial did not start this node, and no socket was given
    * `:no_app`: Vial did not start this node, and no application was named
    * `:not_loaded`: the native library could not be loaded
    * `:unreachable`: nothing listens on the socket, or this user may not open it
    * `:timeout`: no answer in time
    * `:disconnected`: the connection broke in the middle
    * `:bad_answer`: what came was not an answer of Vial
    * `:cancelled`, `:stopped`: the caller, or the client, went away
  """

  @type t :: %__MODULE__{
          reason: atom,
          message: String.t(),
          next: String.t() | nil,
          log: [String.t()],
          plan: Vial.Plan.t() | nil
        }

  defexception [:reason, :message, :next, :plan, log: []]

  @refusals [
    :unknown_app,
    :not_found,
    :forbidden,
    :bad_request,
    :too_large,
    :in_progress,
    :nothing_in_progress,
    :already_live,
    :nothing_to_roll_back_to,
    :already_serving,
    :not_retained,
    :stale_plan,
    :key_reused,
    :nothing_deployed,
    :not_running,
    :wrong_state,
    :destructive,
    :irreversible,
    :configuration,
    :shutting_down,
    :login_needed,
    :password_needed,
    :too_many_requests,
    :misdirected,
    :already_there
  ]

  @doc """
  Whether it is a refusal: nothing was changed.

  ## Examples

      iex> Vial.Error.refusal?(%Vial.Error{reason: :in_progress})
      true

      iex> Vial.Error.refusal?(%Vial.Error{reason: :unhealthy})
      false

  """
  @spec refusal?(t) :: boolean
  def refusal?(%__MODULE__{reason: reason}), do: reason in @refusals

  defimpl Inspect do
    def inspect(error, opts) do
      line = "#{inspect(error.reason)} #{Vial.View.Problem.line(error)}"
      Vial.Shown.sentence("Vial.Error", line, opts)
    end
  end
end
