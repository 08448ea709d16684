defmodule Mix.Tasks.Compile.VialNif do
  @moduledoc """
  Compiles Vial's NIF with cargo, as a part of `mix compile`.

  The library lands in `priv/native`, and so in the releases of an application that depends on
  `:vial`. It is built again only where its sources have changed; otherwise cargo is not even
  called.

  Where cargo is missing, or Rust is too old, that is said once, and all goes on without: the daemon
  sets `VIAL_NIF` for the releases that it starts to the library that it was shipped with. A build
  that fails is an error.

  The environment decides the rest:

    * `VIAL_BUILD_NIF=0` builds nothing
    * `CARGO_TARGET_DIR` is where cargo builds; by default `target`, beside this library's `mix.exs`
    * `CARGO_BUILD_TARGET` builds for another machine

  The library is replaced by a rename, never written in place: a node that runs has it mapped.
  """

  use Mix.Task.Compiler

  @library "libvial_nif.so"
  @inputs ["Cargo.toml", "Cargo.lock", "native", "sidecar/link", "sidecar/protocol"]
  # What cargo builds differently without a change in a file.
  @variables ["CARGO_BUILD_TARGET", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"]

  @impl true
  def run(_args) do
    root = File.cwd!()

    cond do
      System.get_env("VIAL_BUILD_NIF") == "0" -> {:noop, []}
      not File.exists?(Path.join(root, "native/Cargo.toml")) -> {:noop, []}
      true -> run_in(root, state(root))
    end
  end

  @impl true
  def manifests, do: [manifest()]

  @impl true
  def clean do
    File.rm(manifest())
    File.rm(library(File.cwd!()))
    :ok
  end

  defp run_in(root, state) do
    if read() == {:built, state} and File.exists?(library(root)) do
      {:noop, []}
    else
      with {:ok, cargo} <- cargo(), :ok <- rust(root, cargo) do
        build(root, state, cargo)
      else
        {:error, why} -> skip(why)
      end
    end
  end

  defp build(root, state, cargo) do
    Mix.shell().info("Compiling Vial's NIF with cargo (the first time takes a minute)")
    target = Path.expand(System.get_env("CARGO_TARGET_DIR") || "target", root)
    args = ~w(build --release --locked --package vial_nif)

    # What cargo says is for a person: the errors are shown as they come.
    case System.cmd(cargo, args,
           cd: root,
           into: IO.stream(:stdio, :line),
           stderr_to_stdout: true,
           env: [{"CARGO_TARGET_DIR", target}]
         ) do
      {_, 0} ->
        built =
          Path.join([target, System.get_env("CARGO_BUILD_TARGET") || "", "release", @library])

        install(built, library(root))
        write({:built, state})
        # There was no priv to link to when Mix looked.
        Mix.Project.build_structure()
        {:ok, []}

      {_, status} ->
        {:error, [failure(status)]}
    end
  end

  # Told once, and again when the reason is another.
  defp skip(why), do: if(read() == {:skipped, why}, do: {:noop, []}, else: tell(why))

  defp tell(why) do
    message =
      "Vial's NIF is not compiled: #{why}. The app works without it in the releases that Vial's " <>
        "daemon starts, which brings its own (VIAL_NIF). To build it: https://rustup.rs, then " <>
        "`mix compile` again"

    Mix.shell().error("warning: " <> message)
    write({:skipped, why})
    {:ok, []}
  end

  defp failure(status) do
    message =
      "Vial's NIF was not built: cargo ended with status #{status}, and what it said is above. " <>
        "VIAL_BUILD_NIF=0 goes on without"

    Mix.shell().error("error: " <> message)

    %Mix.Task.Compiler.Diagnostic{
      compiler_name: "vial_nif",
      file: Path.expand("native/Cargo.toml"),
      position: nil,
      message: message,
      severity: :error
    }
  end

  defp cargo do
    if :os.type() == {:unix, :linux}, do: find_cargo(), else: {:error, "Vial runs on Linux only"}
  end

  defp find_cargo do
    home = System.get_env("CARGO_HOME") || Path.join(System.get_env("HOME") || "/", ".cargo")

    case System.find_executable("cargo") || System.find_executable(Path.join(home, "bin/cargo")) do
      nil -> {:error, "cargo is not installed"}
      cargo -> {:ok, cargo}
    end
  end

  defp rust(root, cargo) do
    [_, wanted] =
      Regex.run(~r/^rust-version = "(.*)"$/m, File.read!(Path.join(root, "Cargo.toml")))

    rustc = System.find_executable("rustc") || Path.join(Path.dirname(cargo), "rustc")

    with {said, 0} <- System.cmd(rustc, ["--version"], cd: root, stderr_to_stdout: true),
         [_, have] <- Regex.run(~r/^rustc (\d+\.\d+)/, said) do
      if Version.match?(have <> ".0", ">= #{wanted}.0"),
        do: :ok,
        else: {:error, "Rust #{have} is too old, and it needs #{wanted} or newer"}
    else
      _ -> {:error, "rustc does not run"}
    end
  rescue
    ErlangError -> {:error, "rustc is not installed"}
  end

  # Writes aside and renames. A file that stays the same is left alone.
  defp install(from, to) do
    unless same?(from, to) do
      File.mkdir_p!(Path.dirname(to))
      aside = "#{to}.#{System.pid()}"
      File.cp!(from, aside)
      File.rename!(aside, to)
    end
  end

  defp same?(from, to), do: File.exists?(to) and hash([from]) == hash([to])

  # The content decides, because a checkout makes every time stamp new.
  defp state(root) do
    sources = @inputs |> Enum.flat_map(&files(Path.join(root, &1))) |> Enum.sort()

    {hash(sources), Enum.map(@variables, &System.get_env/1),
     :erlang.system_info(:system_architecture)}
  end

  defp hash(files) do
    files
    |> Enum.reduce(:erlang.md5_init(), fn file, context ->
      content = File.read!(file)
      :erlang.md5_update(context, [Path.basename(file), 0, <<byte_size(content)::64>>, content])
    end)
    |> :erlang.md5_final()
  end

  defp files(path) do
    case File.ls(path) do
      {:ok, names} -> Enum.flat_map(names -- ["target"], &files(Path.join(path, &1)))
      {:error, :enotdir} -> [path]
      {:error, _} -> []
    end
  end

  defp library(root), do: Path.join([root, "priv", "native", @library])

  defp manifest, do: Path.join(Mix.Project.manifest_path(), "compile.vial_nif")

  defp read do
    case File.read(manifest()) do
      {:ok, binary} -> :erlang.binary_to_term(binary)
      {:error, _} -> nil
    end
  rescue
    ArgumentError -> nil
  end

  defp write(term) do
    File.mkdir_p!(Path.dirname(manifest()))
    File.write!(manifest(), :erlang.term_to_binary(term))
  end
end
