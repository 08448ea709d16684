defmodule Vial.SSHDTest do
  # A real ssh and a real sshd, on a port of their own with keys of their own.
  use ExUnit.Case, async: false

  alias Vial.{Error, FakeSSH, SSH}

  @sshd System.find_executable("sshd") || Enum.find(["/usr/sbin/sshd"], &File.exists?/1)
  @ssh System.find_executable("ssh")

  @moduletag :sshd
  @moduletag :tmp_dir
  if !(@sshd && @ssh), do: @moduletag(skip: "openssh-server is not installed")

  setup %{tmp_dir: tmp} do
    folder = Path.join("/tmp", "vial-sshd-#{System.unique_integer([:positive])}-#{System.pid()}")
    File.mkdir!(folder)
    File.chmod!(folder, 0o700)
    for name <- ["host", "user"], do: key(Path.join(folder, name))
    port = free_port()
    sshd = start_sshd(folder, port)
    path = System.get_env("PATH")
    wrap(tmp, folder, port)

    on_exit(fn ->
      System.put_env("PATH", path)
      System.cmd("kill", [Integer.to_string(sshd)], stderr_to_stdout: true)
      File.rm_rf!(folder)
    end)

    remote = Path.join(folder, "daemon.sock")
    FakeSSH.listen(remote)
    {:ok, remote: remote, folder: folder}
  end

  test "a call gets through, and nothing is left", %{remote: remote} do
    assert {:ok, tunnel} = SSH.open("vial-test", remote)
    assert FakeSSH.ask(tunnel.socket, "ping") == "ping"
    SSH.close(tunnel)
    refute File.exists?(tunnel.folder)
    FakeSSH.eventually(fn -> not running?(tunnel.folder) end)
  end

  test "a key that is not known there is refused with ssh's own words", context do
    File.write!(Path.join(context.folder, "authorized_keys"), "")
    assert {:error, %Error{reason: :unreachable} = error} = SSH.open("vial-test", context.remote)
    assert Enum.any?(error.log, &(&1 =~ "Permission denied (publickey"))
  end

  test "a socket that is not there is told from a host that is not there", %{folder: folder} do
    assert {:ok, tunnel} = SSH.open("vial-test", Path.join(folder, "no.sock"))
    {:ok, socket} = :gen_tcp.connect({:local, tunnel.socket}, 0, [:binary, :local, active: false])
    assert {:error, :closed} = :gen_tcp.recv(socket, 0, 5_000)
    said = SSH.close(tunnel, 1_000)
    explained = SSH.explain(%Error{reason: :disconnected, message: "x"}, tunnel, said)
    assert explained.message =~ "the daemon did not answer"
  end

  @tag :daemon
  test "a real daemon answers through it, and a task shows what it says" do
    Vial.Place.nowhere()
    daemon = Vial.RealDaemon.start()
    on_exit(fn -> Vial.RealDaemon.stop(daemon) end)
    there = ["--host", "vial-test", "--socket", Vial.RealDaemon.socket(daemon), "--app", "shop"]

    {ended, shown} = ExUnit.CaptureIO.with_io(fn -> Mix.Task.rerun("vial.status", there) end)

    assert ended == :ok
    assert shown =~ "shop has no release yet."

    {status, said} =
      ExUnit.CaptureIO.with_io(:stderr, fn ->
        catch_exit(Mix.Task.rerun("vial.status", List.replace_at(there, 3, "/nowhere.sock")))
      end)

    assert status == {:shutdown, 4}
    assert said =~ "ssh reached vial-test, and the daemon did not answer at /nowhere.sock there."
    assert said =~ "open failed"
  end

  defp key(path),
    do: {_, 0} = System.cmd("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path])

  defp start_sshd(folder, port) do
    # It insists on this folder where it runs as root.
    File.mkdir_p("/run/sshd")
    File.cp!(Path.join(folder, "user.pub"), Path.join(folder, "authorized_keys"))

    File.write!(Path.join(folder, "sshd_config"), """
    ListenAddress 127.0.0.1
    Port #{port}
    HostKey #{folder}/host
    AuthorizedKeysFile #{folder}/authorized_keys
    StrictModes no
    UsePAM no
    PasswordAuthentication no
    PermitRootLogin yes
    PidFile none
    """)

    args = ["-D", "-e", "-f", Path.join(folder, "sshd_config")]
    sshd = Port.open({:spawn_executable, @sshd}, [:binary, :stderr_to_stdout, args: args])
    assert_receive {^sshd, {:data, "Server listening" <> _}}, 5_000
    {:os_pid, pid} = Port.info(sshd, :os_pid)
    pid
  end

  # The user's own configuration is left out of it.
  defp wrap(tmp, folder, port) do
    File.write!(Path.join(folder, "ssh_config"), """
    Host vial-test
      HostName 127.0.0.1
      Port #{port}
      IdentityFile #{folder}/user
      IdentitiesOnly yes
      UserKnownHostsFile #{folder}/known_hosts
      StrictHostKeyChecking accept-new
    """)

    bin = Path.join(tmp, "bin")
    File.mkdir_p!(bin)
    File.write!(Path.join(bin, "ssh"), "#!/bin/sh\nexec #{@ssh} -F #{folder}/ssh_config \"$@\"\n")
    File.chmod!(Path.join(bin, "ssh"), 0o755)
    System.put_env("PATH", "#{bin}:#{System.get_env("PATH")}")
  end

  defp free_port do
    {:ok, socket} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, port} = :inet.port(socket)
    :gen_tcp.close(socket)
    port
  end

  # Whether a process still has the folder among its arguments.
  defp running?(folder) do
    Enum.any?(Path.wildcard("/proc/[0-9]*/cmdline"), fn path ->
      match?({:ok, _}, File.read(path)) and File.read!(path) =~ folder
    end)
  rescue
    # It ended between the two looks.
    File.Error -> running?(folder)
  end
end
