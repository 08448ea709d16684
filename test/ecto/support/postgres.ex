defmodule VialEcto.Postgres do
  @moduledoc """
  A PostgreSQL of our own in a temporary folder, on a Unix socket there. It ends with this node,
  however this node ends: it runs below a shell that ends it when its standard input is closed.
  """

  @run ~S"""
  "$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$2/initdb.log" || exit 1
  "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off &
  pid=$!
  (cat >/dev/null; kill -QUIT $pid) <&3 &
  wait $pid
  """

  @doc "Starts it; returns the folder of its socket."
  def start do
    folder = Path.join(System.tmp_dir!(), "vial-postgres-#{System.pid()}")
    File.rm_rf!(folder)
    File.mkdir_p!(folder)
    ExUnit.after_suite(fn _ -> stop(folder) end)

    # PostgreSQL refuses to run as root.
    {program, before} =
      if root?() do
        {_, 0} = System.cmd("chown", ["postgres", folder])
        {"setpriv", ~w(--reuid postgres --regid postgres --clear-groups)}
      else
        {"env", []}
      end

    port =
      Port.open({:spawn_executable, System.find_executable(program)}, [
        :binary,
        :stderr_to_stdout,
        line: 1000,
        cd: folder,
        args: before ++ ["sh", "-c", "exec 3<&0\n" <> @run, "postgres", binaries(), folder]
      ])

    :persistent_term.put(__MODULE__, {port, folder})
    wait(port)
    folder
  end

  def folder, do: elem(:persistent_term.get(__MODULE__), 1)

  defp wait(port) do
    receive do
      {^port, {:data, {_, line}}} ->
        if line =~ "ready to accept connections", do: :ok, else: wait(port)
    after
      60_000 -> raise "PostgreSQL did not start within 60 s"
    end
  end

  defp stop(folder) do
    {port, _} = :persistent_term.get(__MODULE__)
    if Port.info(port), do: Port.close(port)
    File.rm_rf!(folder)
  end

  defp root?, do: match?({"0\n", 0}, System.cmd("id", ["-u"]))

  defp binaries do
    # Debian keeps them out of the PATH.
    found = System.find_executable("postgres")
    debian = Path.wildcard("/usr/lib/postgresql/*/bin/postgres")

    case List.last(debian) || found do
      nil -> raise "PostgreSQL is missing. Next: apt-get install postgresql"
      path -> Path.dirname(path)
    end
  end
end
