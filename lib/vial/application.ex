defmodule Vial.Application do
  @moduledoc false
  # Vial's own supervision tree: what knows whether this slot works, and what tells the daemon of its
  # rest. Neither opens a connection where Vial did not start this node.
  #
  # The application that takes Vial in must not fall because of it, and a release stops its node when
  # one of its applications ends. So its processes may be started again as often as it takes.

  use Application

  @impl true
  def start(_type, _args) do
    Supervisor.start_link([Vial.Role.Report, Vial.Role],
      strategy: :one_for_one,
      max_restarts: 1_000_000,
      max_seconds: 1,
      name: Vial.Supervisor
    )
  end

  @impl true
  def stop(_state), do: Vial.Role.forget()
end
