defmodule Vial.RealDaemon do
  @moduledoc false
  # A `vial serve` in a temporary folder, with one app, `shop`, which is a worker: no Caddy.

  defstruct [:folder, :binary, :port, :pid]

  @doc "The binary to test: VIAL_BIN, or what cargo has built; `nil` where there is none."
  def binary do
    target = System.get_env("CARGO_TARGET_DIR") || "target"
    built = Path.wildcard(Path.expand("#{target}/{debug,release}/vial"))
    Enum.find([System.get_env("VIAL_BIN") | built], &(&1 && File.regular?(&1)))
  end

  @doc """
  Starts it. `app:` is more of the app's file, and `env:` what its releases find in their environment.
  """
  def start(opts \\ []) do
    folder = new_folder(opts)
    daemon = %__MODULE__{folder: folder, binary: binary() || raise("there is no vial to run")}
    run(daemon)
  end

  @doc "A folder in the daemon's own, which the app may write to."
  def shared(folder), do: Path.join(folder, "shared")

  def socket(daemon), do: Path.join(daemon.folder, "run/vial.sock")

  @doc "Ends it with `kill -9`; what it started runs on."
  def kill(daemon) do
    {_, 0} = System.cmd("kill", ["-9", "#{daemon.pid}"])
    port = daemon.port

    receive do
      {^port, {:exit_status, _}} -> :ok
    end
  end

  @doc "Starts it again in the same folder."
  def restart(daemon), do: run(daemon)

  @doc "Ends it and everything that it started, and removes its folder."
  def stop(daemon) do
    _ = System.cmd("kill", ["-9", "#{daemon.pid}"], stderr_to_stdout: true)
    end_all(daemon.folder, 50)
    File.rm_rf!(daemon.folder)
    :ok
  end

  defp run(daemon) do
    # A port closes with the process that opened it; the program ends when its pid is killed.
    port =
      Port.open({:spawn_executable, daemon.binary}, [
        :binary,
        :exit_status,
        :stderr_to_stdout,
        args: ["serve"],
        env: [
          {'VIAL_CONFIG', String.to_charlist(Path.join(daemon.folder, "vial.toml"))},
          {'RUST_LOG', false}
        ]
      ])

    {:os_pid, pid} = Port.info(port, :os_pid)
    serving(port, "")
    %{daemon | port: port, pid: pid}
  end

  defp serving(port, said) do
    receive do
      {^port, {:data, more}} ->
        said = said <> more
        if said =~ ~s("message":"serving"), do: said, else: serving(port, said)

      {^port, {:exit_status, status}} ->
        raise "the daemon ended with status #{status}: #{said}"
    after
      20_000 -> raise "the daemon did not start: #{said}"
    end
  end

  defp new_folder(opts) do
    folder =
      Path.join(
        System.tmp_dir!(),
        "vial-nif-#{System.pid()}-#{System.unique_integer([:positive])}"
      )

    File.mkdir_p!(Path.join(folder, "apps"))
    # The app's user passes through it.
    File.chmod!(folder, 0o755)
    {user, 0} = System.cmd("id", ["-u"])

    File.write!(Path.join(folder, "vial.toml"), """
    state_dir = "#{folder}/state"
    run_dir = "run"
    [caddy]
    admin = "127.0.0.1:1"
    """)

    # The shop listens somewhere in any case.
    shared = shared(folder)
    File.mkdir_p!(shared)
    File.chmod!(shared, 0o777)
    env = for {name, value} <- Keyword.get(opts, :env, []), do: "#{name}=#{value}\n"
    places = "SHOP_DB=#{shared}/shop.db\nSHOP_QUEUE=#{shared}/queue\n"
    File.write!(Path.join(folder, "shop.env"), ["PORT=0\n", places, env])

    File.write!(Path.join(folder, "apps/shop.toml"), """
    name = "shop"
    release = "shop"
    env_file = "#{folder}/shop.env"
    bake = "#{Keyword.get(opts, :bake, "1s")}"
    health = { alive = "500ms" }
    #{opts[:app]}
    #{if String.trim(user) == "0", do: ~s(user = "games")}
    """)

    folder
  end

  # By the folder in their environment, or by where their output goes.
  defp end_all(_folder, 0), do: :ok

  defp end_all(folder, tries) do
    own = System.pid()

    left =
      for "/proc/" <> pid <- Path.wildcard("/proc/[0-9]*"),
          pid != own,
          belongs?(pid, folder),
          do: pid

    if left != [] do
      System.cmd("kill", ["-9" | left], stderr_to_stdout: true)
      Process.sleep(20)
      end_all(folder, tries - 1)
    end
  end

  defp belongs?(pid, folder) do
    environment =
      case File.read("/proc/#{pid}/environ") do
        {:ok, environment} -> String.contains?(environment, folder)
        _ -> false
      end

    environment or
      Enum.any?([1, 2], fn fd ->
        case File.read_link("/proc/#{pid}/fd/#{fd}") do
          {:ok, to} -> String.starts_with?(to, folder)
          _ -> false
        end
      end)
  end
end
