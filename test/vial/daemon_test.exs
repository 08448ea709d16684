defmodule Vial.DaemonTest do
  # The library against a daemon that runs two releases of the shop.
  use ExUnit.Case, async: false

  import ExUnit.CaptureIO

  alias Vial.{Error, Place, RealDaemon}

  @shops System.get_env("SHOP_OUT") || Path.expand("../../examples/shop/_build/releases", __DIR__)
  @first Path.join(@shops, "shop-1")
  @second Path.join(@shops, "shop-2.tar.gz")

  @moduletag :daemon
  @moduletag timeout: 120_000
  if !(File.dir?(@first) and File.regular?(@second)),
    do: @moduletag(skip: "Next: examples/shop/build 1 2")

  setup do
    Place.nowhere()
    daemon = RealDaemon.start()
    on_exit(fn -> RealDaemon.stop(daemon) end)
    {:ok, daemon: daemon, at: [app: "shop", socket: RealDaemon.socket(daemon)]}
  end

  test "a folder and an archive are deployed, and the second is taken back", %{at: at} do
    assert {:error, %Error{reason: :nothing_deployed} = refusal} = Vial.plan(at)
    assert Error.refusal?(refusal)

    {answer, shown} = with_io(fn -> Vial.deploy(@first, at) end)
    assert {:ok, %Vial.Deployment{number: 1, status: :succeeded}} = answer
    assert shown =~ ~r/^Sending    \d+\.\d MiB$/m
    assert shown =~ ~r/^Deploying  unpacking +\d/m
    assert shown =~ ~r/^Live: v1.0.0 serves since/m
    assert shown =~ ~r/^Deployed: v1.0.0 serves since/m

    assert {:ok, accepted} = Vial.deploy(@second, at ++ [wait: false, quiet: true, reason: "new"])
    assert {:ok, live} = Vial.await(accepted, at ++ [until: :live, timeout: 60_000])
    assert Vial.Deployment.live?(live)

    {answer, shown} = with_io(fn -> Vial.rollback(at ++ [reason: "500s"]) end)
    assert {:ok, %Vial.Deployment{kind: :rollback, status: :succeeded} = back} = answer
    assert shown =~ "Roll back shop: v2.0.0 (#2) → v1.0.0 (#1)"
    assert shown =~ ~r/^Rolled back: v1.0.0 serves/m
    assert back.reason == "500s"

    assert {:ok, history} = Vial.history(at)

    assert [
             %{number: 3, kind: :rollback, status: :succeeded},
             %{number: 2, reason: "new", status: :rolled_back, rolled_back_by: 3},
             %{number: 1, status: :superseded}
           ] = Enum.to_list(history)

    assert {:ok, status} = Vial.status(at)
    assert status.serving.version == "1.0.0"
    assert inspect(status) =~ ~r/shop: v1.0.0 serves from (blue|green) since/
    assert {:ok, %Vial.Daemon{apps: [%{name: "shop"}]}} = Vial.daemon(Keyword.delete(at, :app))
    assert {:ok, %Vial.Log{}} = Vial.logs(at)

    {answer, shown} = with_io(fn -> Vial.rollback(at) end)
    assert {:error, %Error{} = refusal} = answer
    assert Error.refusal?(refusal)
    assert shown =~ "Not rolled back: v1.0.0 serves because #3 rolled back to it already"
  end

  test "a deployment is followed across a restart of the daemon", %{daemon: daemon, at: at} do
    assert {:ok, accepted} = Vial.deploy(@first, at ++ [wait: false, quiet: true])
    waiting = Task.async(fn -> Vial.await(accepted, at) end)
    RealDaemon.kill(daemon)
    restarted = RealDaemon.restart(daemon)
    on_exit(fn -> RealDaemon.stop(restarted) end)
    assert {:ok, %Vial.Deployment{number: 1, status: :succeeded}} = Task.await(waiting, 60_000)
  end

  test "a subscriber hears of the daemon's end and of its return", %{daemon: daemon, at: at} do
    assert {:ok, subscription} = Vial.subscribe(at)
    assert_receive {:vial, {:app, %Vial.Status{name: "shop"}}}, 5_000
    RealDaemon.kill(daemon)
    assert_receive {:vial, {:lost, %Error{}}}, 5_000
    restarted = RealDaemon.restart(daemon)
    on_exit(fn -> RealDaemon.stop(restarted) end)
    assert_receive {:vial, :back}, 10_000
    assert_receive {:vial, {:app, %Vial.Status{}}}, 5_000
    assert Vial.unsubscribe(subscription) == :ok
  end

  test "an application that is not there, and a daemon that is not there, are said", %{at: at} do
    assert {:error, %Error{reason: :unknown_app}} = Vial.status(Keyword.put(at, :app, "store"))
    assert {:error, %Error{reason: :unknown_app}} = Vial.subscribe(Keyword.put(at, :app, "store"))
    gone = Keyword.put(at, :socket, "/nowhere/vial.sock")
    assert {:error, %Error{reason: :unreachable}} = Vial.status(gone)
    assert {:error, %Error{reason: :unreachable}} = Vial.subscribe(gone)
  end
end
