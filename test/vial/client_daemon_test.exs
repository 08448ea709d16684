defmodule Vial.ClientDaemonTest do
  # One node has one system monitor.
  use ExUnit.Case, async: false

  alias Vial.{Client, RealDaemon, Soak}

  @moduletag :daemon
  @moduletag timeout: 120_000

  setup do
    daemon = RealDaemon.start()
    on_exit(fn -> RealDaemon.stop(daemon) end)
    %{daemon: daemon, socket: RealDaemon.socket(daemon)}
  end

  defp status(socket), do: Client.call(:get, ["v1", "apps", "shop"], :status, socket: socket)

  defp check(%module{} = struct) when module != DateTime do
    assert Map.keys(struct) == Map.keys(struct(module)), inspect(module)
    for {_, value} <- Map.from_struct(struct), do: check(value)
  end

  defp check(list) when is_list(list), do: Enum.each(list, &check/1)
  defp check(_), do: :ok

  test "what the daemon says fits the structs", %{socket: socket} do
    {:ok, daemon} = Client.call(:get, "/v1/status", :daemon, socket: socket)
    check(daemon)

    assert [%Vial.Status{name: "shop", desired: :running, slots: [%{slot: :blue}, _]}] =
             daemon.apps

    {:error, error} =
      Client.call(:post, ["v1", "apps", "shop", "deployments"], :accepted,
        socket: socket,
        query: [reason: "no release"],
        body: {:file, __ENV__.file}
      )

    assert error.reason == :bad_release

    {:ok, [deployment]} =
      Client.call(:get, "/v1/apps/shop/deployments", :deployments, socket: socket)

    assert %Vial.Deployment{kind: :deploy, status: :failed, reason: "no release"} = deployment

    {:ok, deployment} =
      Client.call(:get, "/v1/apps/shop/deployments/1", :deployment, socket: socket)

    check(deployment)
    assert [%Vial.Step{status: :unpacking} | _] = deployment.steps

    assert {:ok, %Vial.Log{slot: :blue, lines: []}} =
             Client.call(:get, "/v1/apps/shop/logs", :log, socket: socket)
  end

  test "a stream of events begins with how things are", %{socket: socket} do
    {:ok, %{ref: ref} = stream} =
      Client.stream("/v1/events", socket: socket, query: [app: "shop"])

    assert_receive {:vial, ^ref, {:event, {:app, %Vial.Status{name: "shop"} = status}}}
    check(status)
    Client.cancel(stream)
  end

  test "a stream is done when the daemon is killed", %{daemon: daemon, socket: socket} do
    {:ok, %{ref: ref}} = Client.stream("/v1/events", socket: socket)
    assert_receive {:vial, ^ref, {:event, _}}
    RealDaemon.kill(daemon)
    assert_receive {:vial, ^ref, {:done, %Vial.Error{reason: :disconnected}}}
    assert {:error, %Vial.Error{reason: :unreachable}} = status(socket)
  end

  test "20,000 calls of 100 processes are answered once each, and none keeps a scheduler", %{
    socket: socket
  } do
    ask = fn ->
      {:ok, _} = status(socket)
      :ok
    end

    run = Soak.run(20_000, 100, ask)
    assert run.words == %{ok: 20_000}
    assert run.left == 0
    assert Soak.located(run.long, [Vial.Native]) == []
  end

  test "20,000 calls while the daemon is killed and comes back all return, none twice", context do
    %{daemon: daemon, socket: socket} = context

    ask = fn ->
      case status(socket) do
        {:ok, %Vial.Status{}} -> :ok
        {:error, %Vial.Error{reason: reason}} -> reason
      end
    end

    test = self()

    run =
      Soak.run(20_000, 100, ask,
        meanwhile: fn done ->
          wait_for(done, 5_000)
          RealDaemon.kill(daemon)
          send(test, {:again, RealDaemon.restart(daemon)})
        end
      )

    assert_receive {:again, again}
    on_exit(fn -> RealDaemon.stop(again) end)
    assert run.words |> Map.values() |> Enum.sum() == 20_000
    assert Map.keys(run.words) -- [:ok, :unreachable, :disconnected] == []
    assert run.words.ok >= 5_000
    assert Map.has_key?(run.words, :unreachable) or Map.has_key?(run.words, :disconnected)
    assert run.left == 0
    assert {:ok, _} = status(socket)
  end

  defp wait_for(done, count) do
    if done.() < count do
      Process.sleep(1)
      wait_for(done, count)
    end
  end
end
