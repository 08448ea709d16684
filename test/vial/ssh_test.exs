defmodule Vial.SSHTest do
  # The path of programs is the whole node's.
  use ExUnit.Case, async: false

  alias Vial.{Error, FakeSSH, SSH}

  @moduletag :tmp_dir

  setup %{tmp_dir: tmp} do
    FakeSSH.install(tmp)
    # A folder for sockets must be short.
    folder = Path.join("/tmp", "vial-test-#{System.unique_integer([:positive])}-#{System.pid()}")
    File.mkdir!(folder)
    on_exit(fn -> File.rm_rf!(folder) end)
    remote = Path.join(folder, "daemon.sock")
    {:ok, remote: remote, daemon: FakeSSH.listen(remote)}
  end

  test "brings the daemon's socket here, into a folder that is closed to others", context do
    assert {:ok, tunnel} = SSH.open("deploy@host", context.remote)
    assert %{mode: mode} = File.stat!(tunnel.folder)
    assert Bitwise.band(mode, 0o777) == 0o700
    assert FakeSSH.ask(tunnel.socket, "ping") == "ping"

    args = FakeSSH.arguments(context.tmp_dir)
    assert ["--", "deploy@host"] == Enum.take(args, -2)
    assert "#{tunnel.socket}:#{context.remote}" in args
    for option <- ["BatchMode=yes", "ExitOnForwardFailure=yes"], do: assert(option in args)

    SSH.close(tunnel)
    refute File.exists?(tunnel.folder)
    assert FakeSSH.ended?(context.tmp_dir)
  end

  test "says what ssh said where it does not get through", context do
    System.put_env("FAKE_SSH", "denied")
    assert {:error, %Error{reason: :unreachable} = error} = SSH.open("host", context.remote)
    assert error.message == "ssh could not reach host: it ended with status 255."
    assert error.log == ["deploy@host: Permission denied (publickey)."]
    assert error.next =~ "`ssh -o BatchMode=yes host true`"
  end

  test "a host is never taken for an option" do
    assert {:error, %Error{reason: :bad_request}} = SSH.open("-oProxyCommand=touch /tmp/x", "/x")
    assert {:error, %Error{reason: :bad_request}} = SSH.open("", "/x")
  end

  test "tells a host without a daemon from one that cannot be reached", context do
    assert {:ok, tunnel} = SSH.open("host", "/nowhere/vial.sock")
    said = ["channel 2: open failed: connect failed: No such file or directory"]
    error = SSH.explain(%Error{reason: :disconnected, message: "x"}, tunnel, said)
    assert error.reason == :unreachable
    assert error.message =~ "the daemon did not answer at /nowhere/vial.sock there"
    assert SSH.explain(%Error{reason: :in_progress, message: "x"}, tunnel, []).message == "x"
    SSH.close(tunnel)
    assert FakeSSH.ended?(context.tmp_dir)
  end

  # The node that opened it is a node of its own here, and is killed.
  test "ssh ends and the socket goes when the node is killed", context do
    paths = Enum.flat_map(:code.get_path(), &["-pa", to_string(&1)])

    script = """
    {:ok, tunnel} = Vial.SSH.open("host", #{inspect(context.remote)})
    IO.puts("open " <> tunnel.folder)
    Process.sleep(:infinity)
    """

    elixir = System.find_executable("elixir")

    port =
      Port.open({:spawn_executable, elixir}, [
        :binary,
        :exit_status,
        {:line, 1_000},
        args: paths ++ ["-e", script]
      ])

    assert_receive {^port, {:data, {:eol, "open " <> folder}}}, 20_000
    assert File.dir?(folder)
    {:os_pid, pid} = Port.info(port, :os_pid)
    {_, 0} = System.cmd("kill", ["-KILL", Integer.to_string(pid)])
    assert FakeSSH.ended?(context.tmp_dir)
    FakeSSH.eventually(fn -> not File.exists?(folder) end)
  end
end
