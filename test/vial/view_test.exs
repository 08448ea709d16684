defmodule Vial.ViewTest do
  use ExUnit.Case, async: true

  import Vial.Samples

  alias Vial.View

  doctest Vial.Deployment
  doctest Vial.History

  describe "a status" do
    test "says what serves, its slots and what can be done" do
      assert View.Status.app(status(), look()) == """
             shop: v2.0.0 serves since 03:12:00 (3 m ago) from green

               Slot     State    Health           Release      Port   Pid  Started
               ▸ green  running  ok, 200 in 3 ms  v2.0.0 (#2)  4001  4711  3 m ago
                 blue   stopped                   v1.0.0 (#1)  4000

               Rollback     to v1.0.0 (#1): `vial rollback shop`
               Last         #2 deploy of v2.0.0 by anna: Succeeded 4 m ago
               Route        shop.example.com through Caddy (file)
             """
    end

    test "warns of what is wrong and says what is in progress" do
      shown =
        status(
          warnings: [error(:crash_loop, "green exits again and again.", "`vial logs shop`")],
          deployment:
            deployment(3, status: :starting, steps: [step(:starting, 1, started_at: at(-5))]),
          rollback: %Vial.Offer{refusal: error(:in_progress, "#3 is in progress.", "wait")},
          slots: [slot(:green, state: :backoff, restarts: 3, last_exit: "exited with status 1")],
          route: nil
        )
        |> View.Status.app(look())

      assert shown =~ "! green exits again and again.\n  Next: `vial logs shop`\n"
      assert shown =~ "In progress  #3 deploy of v3.0.0 by anna: Deploying (starting) for 5.0 s\n"
      assert shown =~ "Green        exited with status 1; started again 3 times\n"
      assert shown =~ "Rollback     not now: #3 is in progress. Next: wait\n"
      assert shown =~ "Route        none: a worker\n"
    end

    test "says what the idle slot is kept as, and until when" do
      slots = [
        slot(:blue, state: :frozen, release: release(1), standby: standby(:frozen)),
        slot(:green)
      ]

      shown = View.Status.app(status(slots: slots), look())
      assert shown =~ "  blue   frozen"
      assert shown =~ "Standby      frozen since 03:13, until 03:28\n"
      refute shown =~ "Queues"

      assert View.Status.line(status(slots: slots), look()) =~
               "; idle blue frozen since 03:13, until 03:28 (v1.0.0)"

      for {standby, said} <- [
            {standby(:warm), "warm since 03:13, until 03:28"},
            {standby(:warm, ready: false), "is started to be kept warm since 03:13, until 03:28"},
            {standby(:frozen, ready: false), "comes to rest since 03:13, until 03:28"}
          ] do
        assert View.Standby.line(standby, look()) == said
      end
    end

    test "says who works where that is not who serves" do
      assert View.Status.app(status(works: nil), look()) =~
               "Queues       worked by no slot until blue came to rest\n"

      assert View.Status.app(status(works: :blue), look()) =~ "Queues       worked by blue\n"
    end

    test "of every app is a line each" do
      daemon = %Vial.Daemon{
        apps: [status()],
        problems: [error(:configuration, "blog.toml is broken.")]
      }

      assert View.Status.all(daemon, look()) == """
             ! blog.toml is broken.

             App   Serves  Slot   Health           Since
             shop  v2.0.0  green  ok, 200 in 3 ms  3 m ago
             """
    end

    test "before the first deploy and while stopped says what to do" do
      assert View.Status.headline(status(serving: nil, active: nil), look()) =~
               "shop has no release yet. `vial deploy shop PATH` brings one."

      assert View.Status.headline(status(desired: :stopped), look()) ==
               "shop is stopped. `vial start shop` starts it."
    end
  end

  describe "a history" do
    test "is a table, newest first" do
      rows = [
        deployment(3, kind: :rollback, release: release(1), reason: "500s"),
        deployment(2, status: :rolled_back, rolled_back_by: 3, slot: :blue)
      ]

      assert View.Deployment.table("shop", rows, look()) == """
             #  Kind      Release  Status             Slot   By    When    Took  Why
             3  rollback  v1.0.0   Succeeded          green  anna  03:10  2.0 s  500s
             2  deploy    v2.0.0   Rolled Back by #3  blue   anna  03:10  2.0 s
             """
    end

    test "that is empty says how it begins" do
      assert View.Deployment.table("shop", [], look()) =~ "Next: `vial deploy shop PATH`"
    end
  end

  describe "a plan" do
    test "leaves the database alone where nothing stands between" do
      assert View.Plan.render(plan(hot: true), look()) == """
             Roll back shop: v2.0.0 (#2) → v1.0.0 (#1)
               Release   v1.0.0 last took the traffic 03:00:00 (15 m ago)
               Slot      blue; it still runs: only the switch is left to do
               Database  left alone; v1.0.0 knows every migration
             """
    end

    test "says how long it takes, and how long and how well its target served" do
      shown =
        plan(expected_ms: 940, to_served_ms: 7_300_000, to_health: "without a restart")
        |> View.Plan.render(look())

      assert shown =~
               "v1.0.0 last took the traffic 03:00:00 (15 m ago) and served 2 h, without a restart\n"

      assert shown =~ "  Takes     about 0.9 s\n"
      refute View.Plan.render(plan(), look()) =~ ~r/Takes|served/
    end

    test "says that its target is in standby, and how soon it serves" do
      shown =
        View.Plan.render(plan(hot: true, standby: standby(:frozen), expected_ms: 30), look())

      assert shown =~ "  Slot      blue; ready in about 30 ms: frozen since 03:13\n"
      refute shown =~ "Takes"

      shown = View.Plan.render(plan(standby: standby(:warm, expected_ms: nil)), look())
      assert shown =~ "  Slot      blue; ready: warm since 03:13\n"

      resting = plan(standby: standby(:frozen, ready: false), expected_ms: 940)
      shown = View.Plan.render(resting, look())
      assert shown =~ "  Slot      blue; it comes to rest since 03:13\n"
      assert shown =~ "  Takes     about 0.9 s\n"
    end

    test "names what the migrations did and what reverting loses" do
      shown =
        plan(
          migrations: [
            migration(10, effect: :additive, does: ["adds users.age"], loses: []),
            migration(20),
            migration(30, effect: :unknown, does: [], reversal: :irreversible, loses: [])
          ],
          database: {:choose, [:keep, :revert]},
          cancels: 4,
          warnings: ["10 cannot be read."]
        )
        |> View.Plan.render(look())

      assert shown =~ "  Cancels   deployment #4, in progress\n"
      assert shown =~ "3 migrations that v1.0.0 does not know; keep or revert must be said\n"
      assert shown =~ "10 drop_name (shop, #2): adds users.age\n"
      assert shown =~ "20 drop_name (shop, #2): drops users.name\n"
      assert shown =~ "reverting: users.name comes back empty\n"
      assert shown =~ "30 drop_name (shop, #2): unknown: cannot be told from its text\n"
      assert shown =~ "it has no way down\n"
      assert shown =~ "! 10 cannot be read.\n"
    end

    test "says what will be reverted, and what the way forward applies" do
      reverting = plan(migrations: [migration(20)], database: {:revert, [20]})

      assert View.Plan.render(reverting, look()) =~
               "Database  1 migration reverted before the switch:"

      forward = plan(applies: [migration(20, brought_by: nil)])
      assert View.Plan.render(forward, look()) =~ "Migrates  1 migration that v1.0.0 brings\n"
    end

    test "names the variables that differ, and none of their values" do
      environment = %Vial.Plan.Environment{version: 2, today: 4, renewed: ["PASSWORD"]}
      shown = View.Plan.render(plan(environment: environment), look())
      assert shown =~ "  Env       today's of what is secret and was changed: PASSWORD\n"
      environment = %{environment | differs: ["POOL", "SIZE"]}

      assert View.Plan.render(plan(environment: environment), look()) =~
               "  Env       its own (version 2), not today's, of: POOL, SIZE\n" <>
                 "            today's of what is secret: PASSWORD\n"

      refute View.Plan.render(plan(), look()) =~ "Env"
    end
  end

  describe "an outcome" do
    test "of a rollback says what became of the migrations" do
      done = deployment(3, kind: :rollback, release: release(1))

      assert outcome(done, plan()) =~
               "Rolled back: v1.0.0 serves since 03:10:02 (2.0 s). Migrations unchanged."

      assert outcome(done, plan(migrations: [migration(20)])) =~
               "Migrations unchanged: 1 that v1.0.0 does not know stays."

      moved = [%Vial.Migrations.Moved{repo: "Shop.Repo", version: 20}]
      assert outcome(%{done | reverted: moved}, plan()) =~ " Reverted: 20."
    end

    test "of what ended otherwise says why and what to look at" do
      assert outcome(deployment(3, status: :cancelled)) ==
               "Cancelled: Deployment #3 ended before it was live.\nNext: `vial show shop 3`\n"

      assert outcome(deployment(3, status: :rolled_back, rolled_back_by: 4)) ==
               "Taken back: v3.0.0 was live until deployment #4 took it back.\nNext: `vial show shop 4`\n"

      assert outcome(deployment(3, status: :failed)) =~ "Not deployed: Deployment #3 failed"
    end

    defp outcome(deployment, plan \\ nil),
      do: View.Outcome.render("shop", deployment, plan, look())
  end

  test "which migrations are applied is a table" do
    report = %Vial.Migrations.Report{
      release: 2,
      label: "v2.0.0",
      migrations: [
        %Vial.Migrations.State{repo: "Shop.Repo", version: 10, name: nil, applied: :up},
        %Vial.Migrations.State{
          repo: "Shop.Repo",
          version: 20,
          name: "drop_name",
          applied: :down,
          migration: migration(20)
        }
      ]
    }

    assert View.Migrations.table(report, look()) == """
           As v2.0.0 (#2) sees it:
           Repository  Version  Name                     Applied  Does
           Shop.Repo        10  no file in this release  up
           Shop.Repo        20  drop_name                down     drops users.name
           """
  end
end
