# Until lib/ has them: the structs that the NIF fills.
structs = %{
  Vial.Daemon => ~w(version pid started_at apps problems)a,
  Vial.Status =>
    ~w(name revision desired active serving serving_since slots deployment queued last rollback route warnings)a,
  Vial.Slot => ~w(slot state release port node pid since restarts health last_exit)a,
  Vial.Health => ~w(healthy detail since)a,
  Vial.Offer => ~w(target refusal)a,
  Vial.Route => ~w(mode hosts problem)a,
  Vial.Deployment =>
    ~w(number kind status release slot replaces rolled_back_by actor reason error queued_at live_at ended_at applied reverts reverted steps)a,
  Vial.Step => ~w(status started_at ended_at outcome)a,
  Vial.Release => ~w(number name version sha256 size erts elixir migrations unpacked_at commit)a,
  Vial.Migration => ~w(version name app folder effect reversal does loses brought_by)a,
  Vial.Plan =>
    ~w(app from from_deployment to to_deployment to_last_live_at slot hot cancels migrations applies database warnings digest)a,
  Vial.Log => ~w(slot lines cursor)a,
  Vial.Log.Line => ~w(at text)a,
  Vial.Accepted => ~w(deployment message)a,
  Vial.Evaluated => ~w(output status truncated)a,
  Vial.Migrations.Report => ~w(release label migrations)a,
  Vial.Migrations.State => ~w(repo version name applied migration)a,
  Vial.Migrations.Moved => ~w(repo version)a,
  Vial.Migrations.Migrated => ~w(release moved message)a
}

root = Path.expand("../..", __DIR__)

unless File.exists?(Path.join(root, "lib/vial/error.ex")) do
  for {module, fields} <- structs do
    defmodule module do
      defstruct fields
    end
  end

  defmodule Vial.Error do
    defexception [:reason, :message, :next, :plan, log: []]
  end
end
