defmodule Vial.FakeSSH do
  # An `ssh` before the real one on the path of programs, which forwards a Unix socket to another one
  # of this machine. Perl, because every Debian has it.

  @script ~S"""
  #!/usr/bin/perl
  use strict; use warnings; use IO::Socket::UNIX; use IO::Select;
  my $dir = $ENV{FAKE_SSH_DIR};
  open(my $args, '>', "$dir/args") or die; print $args join("\0", @ARGV); close($args);
  if (($ENV{FAKE_SSH} // '') eq 'denied') {
    print STDERR "deploy\@host: Permission denied (publickey).\r\n"; exit 255;
  }
  my ($local, $remote);
  for my $at (0 .. $#ARGV) {
    ($local, $remote) = split(/:/, $ARGV[$at + 1]) if $ARGV[$at] eq '-L';
  }
  my $listener = IO::Socket::UNIX->new(Local => $local, Listen => 8) or die "listen: $!";
  open(my $pid, '>', "$dir/pid.new") or die; print $pid $$; close($pid);
  rename("$dir/pid.new", "$dir/pid");
  my $select = IO::Select->new($listener); my %other;
  while (my @ready = $select->can_read) {
    for my $socket (@ready) {
      if ($socket == $listener) {
        my $here = $listener->accept or next;
        my $there = IO::Socket::UNIX->new(Peer => $remote);
        if (!$there) {
          print STDERR "channel 2: open failed: connect failed: No such file or directory\r\n";
          close($here); next;
        }
        $other{$here} = $there; $other{$there} = $here;
        $select->add($here, $there);
      } else {
        my $to = $other{$socket} or next;
        if (sysread($socket, my $bytes, 65536)) { syswrite($to, $bytes); }
        else { for ($socket, $to) { $select->remove($_); delete $other{$_}; close($_); } }
      }
    }
  }
  """

  def install(dir) do
    bin = Path.join(dir, "bin")
    File.mkdir_p!(bin)
    File.write!(Path.join(bin, "ssh"), @script)
    File.chmod!(Path.join(bin, "ssh"), 0o755)
    path = System.get_env("PATH")
    System.put_env(%{"PATH" => "#{bin}:#{path}", "FAKE_SSH_DIR" => dir})

    ExUnit.Callbacks.on_exit(fn ->
      System.put_env("PATH", path)
      for name <- ["FAKE_SSH", "FAKE_SSH_DIR"], do: System.delete_env(name)
    end)
  end

  def arguments(dir), do: dir |> Path.join("args") |> File.read!() |> String.split("\0")

  # Whether the process that was started last has ended.
  def ended?(dir) do
    pid = dir |> Path.join("pid") |> File.read!()
    eventually(fn -> not File.exists?("/proc/#{pid}") or zombie?(pid) end) == :ok
  end

  # A daemon that says what it is told.
  def listen(path) do
    {:ok, listener} = :gen_tcp.listen(0, [:binary, ifaddr: {:local, path}, active: false])
    spawn_link(fn -> accept(listener) end)
  end

  def ask(path, word) do
    {:ok, socket} = :gen_tcp.connect({:local, path}, 0, [:binary, :local, active: false])
    :ok = :gen_tcp.send(socket, word)
    {:ok, answer} = :gen_tcp.recv(socket, 0, 5_000)
    :gen_tcp.close(socket)
    answer
  end

  def eventually(fun, left \\ 500) do
    cond do
      fun.() -> :ok
      left == 0 -> ExUnit.Assertions.flunk("it never came to be")
      true -> Process.sleep(10) && eventually(fun, left - 1)
    end
  end

  defp accept(listener) do
    case :gen_tcp.accept(listener) do
      {:ok, socket} ->
        with {:ok, bytes} <- :gen_tcp.recv(socket, 0), do: :gen_tcp.send(socket, bytes)
        :gen_tcp.close(socket)
        accept(listener)

      {:error, _closed} ->
        :ok
    end
  end

  # Nobody waits for it in a container without an init.
  defp zombie?(pid) do
    case File.read("/proc/#{pid}/stat") do
      {:ok, stat} -> stat =~ ") Z "
      {:error, _} -> true
    end
  end
end
