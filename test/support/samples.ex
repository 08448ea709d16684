defmodule Vial.Samples do
  @moduledoc false
  # What a daemon would say of a shop.

  alias Vial.{Deployment, Health, Migration, Offer, Plan, Release, Route, Slot, Status, Step}

  @now ~U[2026-03-01 03:15:00.000000Z]

  def look(opts \\ []), do: struct!(%Vial.Look{now: @now, zone: :utc}, opts)

  def at(seconds), do: DateTime.add(@now, seconds)

  def error(reason, message \\ "It is so.", next \\ nil),
    do: %Vial.Error{reason: reason, message: message, next: next}

  def release(number, opts \\ []) do
    struct!(
      %Release{
        number: number,
        name: "shop",
        version: "#{number}.0.0",
        sha256: String.duplicate("a", 64),
        size: 1024,
        unpacked_at: at(-600)
      },
      opts
    )
  end

  def deployment(number, opts \\ []) do
    struct!(
      %Deployment{
        number: number,
        kind: :deploy,
        status: :succeeded,
        release: release(number),
        slot: :green,
        actor: "anna",
        queued_at: at(-300),
        live_at: at(-298),
        ended_at: at(-260)
      },
      opts
    )
  end

  def step(status, millis, opts \\ []) do
    began = at(-10)
    ended = DateTime.add(began, millis, :millisecond)
    struct!(%Step{status: status, started_at: began, ended_at: ended}, opts)
  end

  def migration(version, opts \\ []) do
    struct!(
      %Migration{
        version: version,
        name: "drop_name",
        app: "shop",
        folder: "repo/migrations",
        effect: :destructive,
        reversal: :reversible,
        does: ["drops users.name"],
        loses: ["users.name comes back empty"],
        brought_by: 2
      },
      opts
    )
  end

  def plan(opts \\ []) do
    struct!(
      %Plan{
        app: "shop",
        from: release(2),
        from_deployment: 2,
        to: release(1),
        to_deployment: 1,
        to_last_live_at: at(-900),
        slot: :blue,
        database: :unchanged,
        digest: "d1g35t"
      },
      opts
    )
  end

  def standby(mode, opts \\ []) do
    struct!(
      %Vial.Standby{mode: mode, ready: true, since: at(-120), until: at(780), expected_ms: 30},
      opts
    )
  end

  def slot(name, opts \\ []) do
    struct!(
      %Slot{
        slot: name,
        state: :running,
        release: release(2),
        port: 4001,
        node: "shop_#{name}@127.0.0.1"
      },
      opts
    )
  end

  def status(opts \\ []) do
    opts = Keyword.put_new(opts, :works, Keyword.get(opts, :active, :green))

    struct!(
      %Status{
        name: "shop",
        revision: 3,
        desired: :running,
        active: :green,
        serving: release(2),
        serving_since: at(-180),
        slots: [
          slot(:blue, state: :stopped, release: release(1), port: 4000),
          slot(:green,
            pid: 4711,
            since: at(-190),
            health: %Health{healthy: true, detail: "200 in 3 ms", since: at(-180)}
          )
        ],
        last: deployment(2),
        rollback: %Offer{target: release(1)},
        route: %Route{mode: "file", hosts: ["shop.example.com"]}
      },
      opts
    )
  end
end
