defmodule Vial.SSH do
  @moduledoc false
  # The socket of a daemon on another host, brought here by `ssh -L`.
  #
  # ssh runs below a small shell that reads what this node keeps open and never writes to. When this
  # node ends, in whatever way, that ends too: the shell ends ssh and takes the folder with the socket
  # away. No argument passes through a shell's parser.

  alias Vial.{Error, Text}

  @guard """
  dir=$1; shift
  exec 3<&0
  "$@" </dev/null 3<&- &
  ssh=$!
  trap 'kill "$ssh" 2>/dev/null' HUP INT TERM
  { cat <&3; kill "$ssh"; } >/dev/null 2>&1 &
  guard=$!
  exec 3<&-
  wait "$ssh"
  status=$?
  kill "$guard" 2>/dev/null
  rm -rf -- "$dir"
  exit "$status"
  """

  @patience 30_000
  @look_again 20
  # A socket's path has room for 108 bytes on Linux, and for fewer elsewhere.
  @longest 100

  @type tunnel :: %{
          host: String.t(),
          remote: Path.t(),
          port: port,
          folder: Path.t(),
          socket: Path.t()
        }

  @doc "Opens a tunnel to the daemon's socket `remote` on `host`."
  @spec open(String.t(), Path.t()) :: {:ok, tunnel} | {:error, Error.t()}
  def open(host, remote) do
    with :ok <- check(host), {:ok, ssh} <- find("ssh"), {:ok, sh} <- find("sh") do
      folder = folder()
      socket = Path.join(folder, "vial.sock")
      args = ["-c", @guard, "vial", folder, ssh | arguments(host, socket, remote)]

      port =
        Port.open({:spawn_executable, sh}, [
          :binary,
          :exit_status,
          :stderr_to_stdout,
          args: args
        ])

      tunnel = %{host: host, remote: remote, port: port, folder: folder, socket: socket}
      wait(tunnel, "", now() + @patience)
    end
  end

  @doc """
  Closes it, and returns what ssh has said meanwhile. Why a connection through it broke, ssh says a
  moment later: `patience` is how many milliseconds that is waited for.
  """
  @spec close(tunnel, non_neg_integer) :: [String.t()]
  def close(tunnel, patience \\ 0) do
    said = said(tunnel, "", patience)

    try do
      Port.close(tunnel.port)
    catch
      # ssh has ended already.
      :error, :badarg -> true
    end

    File.rm_rf(tunnel.folder)
    lines(said)
  end

  @doc "An error of a call through it, with what ssh has said."
  @spec explain(Error.t(), tunnel, [String.t()]) :: Error.t()
  def explain(error, tunnel, said) do
    there = Text.word(tunnel.host)

    if error.reason in [:unreachable, :disconnected] and Enum.any?(said, &(&1 =~ "open failed")) do
      %Error{
        reason: :unreachable,
        message: "ssh reached #{there}, and the daemon did not answer at #{tunnel.remote} there.",
        next:
          "`ssh #{there} vial doctor`. Only root and members of the group `vial` may reach it; " <>
            "--socket names its socket where it is another one.",
        log: said
      }
    else
      %{error | log: error.log ++ said}
    end
  end

  defp arguments(host, socket, remote) do
    [
      ["-N", "-T"],
      # Whatever could be asked could not be answered: ssh has no terminal here.
      ["-o", "BatchMode=yes"],
      ["-o", "ConnectTimeout=15"],
      ["-o", "ExitOnForwardFailure=yes"],
      ["-o", "ServerAliveInterval=15"],
      # A connection of its own, which ends with this command.
      ["-o", "ControlMaster=no", "-o", "ControlPath=none"],
      ["-L", "#{socket}:#{remote}"],
      ["--", host]
    ]
    |> List.flatten()
  end

  defp wait(tunnel, said, deadline) do
    %{port: port, socket: socket} = tunnel

    receive do
      {^port, {:data, data}} ->
        wait(tunnel, said <> data, deadline)

      {^port, {:exit_status, status}} ->
        File.rm_rf(tunnel.folder)
        {:error, failed(tunnel, status, lines(said))}
    after
      @look_again ->
        cond do
          listens?(socket) -> {:ok, tunnel}
          now() >= deadline -> {:error, silent(tunnel, close(tunnel))}
          true -> wait(tunnel, said, deadline)
        end
    end
  end

  defp listens?(socket) do
    with true <- File.exists?(socket),
         {:ok, connection} <- :gen_tcp.connect({:local, socket}, 0, [:local]) do
      :gen_tcp.close(connection)
      true
    else
      _not_yet -> false
    end
  end

  # Only its owner may enter it: the socket needs no other protection.
  defp folder do
    name = "vial-" <> Base.encode16(:rand.bytes(8), case: :lower)
    folder = Path.join(System.tmp_dir!(), name)
    folder = if byte_size(folder) + 16 > @longest, do: Path.join("/tmp", name), else: folder
    File.mkdir!(folder)
    File.chmod!(folder, 0o700)
    folder
  end

  # ssh takes what begins with a dash for an option, wherever it stands.
  defp check("-" <> _ = host), do: {:error, usage(host)}
  defp check(""), do: {:error, usage("")}
  defp check(_host), do: :ok

  defp usage(host) do
    %Error{
      reason: :bad_request,
      message: "#{inspect(host)} is no host.",
      next: "--host user@server, as ssh takes it"
    }
  end

  defp find(program) do
    case System.find_executable(program) do
      nil ->
        {:error,
         %Error{
           reason: :unreachable,
           message: "#{program} is not installed here, and --host needs it.",
           next: "install #{program}"
         }}

      path ->
        {:ok, path}
    end
  end

  defp failed(tunnel, status, said) do
    host = Text.word(tunnel.host)

    %Error{
      reason: :unreachable,
      message: "ssh could not reach #{host}: it ended with status #{status}.",
      next:
        "see whether `ssh -o BatchMode=yes #{host} true` works. ssh cannot ask for anything here: " <>
          "it needs a key in an agent, and a host that it knows.",
      log: said
    }
  end

  defp silent(tunnel, said) do
    host = Text.word(tunnel.host)

    %Error{
      reason: :unreachable,
      message: "ssh did not get through to #{host} within #{div(@patience, 1000)} s.",
      next: "see whether `ssh #{host} true` works",
      log: said
    }
  end

  defp said(%{port: port} = tunnel, said, patience) do
    receive do
      {^port, {:data, data}} -> said(tunnel, said <> data, 0)
      {^port, {:exit_status, _status}} -> said(tunnel, said, 0)
    after
      patience -> said
    end
  end

  defp lines(said), do: said |> String.split("\n", trim: true) |> Enum.map(&Text.line/1)

  defp now, do: System.monotonic_time(:millisecond)
end
