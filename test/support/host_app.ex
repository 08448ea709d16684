defmodule Vial.HostApp do
  @moduledoc false
  # An application that depends on this library, made by `mix new` in a temporary folder, and a copy
  # of the library for it, so that the test's own build is left alone.

  @root Path.expand("../..", __DIR__)
  @sources ~w(lib native sidecar/link sidecar/protocol sidecar/migrations sidecar/src) ++
             ~w(sidecar/Cargo.toml sidecar/packaging bench/load bench/demo bench/suite Cargo.toml Cargo.lock) ++
             ~w(mix.exs .formatter.exs)

  @doc "Copies the library's sources."
  def copy_library(folder) do
    vial = Path.join(folder, "vial")

    for source <- @sources do
      to = Path.join(vial, source)
      File.mkdir_p!(Path.dirname(to))
      File.cp_r!(Path.join(@root, source), to)
    end

    vial
  end

  @doc "Makes the application, which depends on the library as `dependency` says."
  def new(folder, dependency) do
    {_, 0} = System.cmd("mix", ["new", "host"], cd: folder, stderr_to_stdout: true)
    host = Path.join(folder, "host")
    mix = Path.join(host, "mix.exs")
    text = File.read!(mix)

    changed =
      String.replace(
        text,
        "defp deps do\n    [",
        "defp deps do\n    [{:vial, #{inspect(dependency)}},"
      )

    true = changed != text
    File.write!(mix, changed)
    host
  end

  @doc "Runs Mix there; returns what it said, and its status."
  def mix(folder, args, env \\ []) do
    env = [{"MIX_ENV", "prod"}, {"VIAL_NIF", nil}, {"VIAL_BUILD_NIF", nil}] ++ env
    System.cmd("mix", args, cd: folder, env: env, stderr_to_stdout: true)
  end

  @doc "Evaluates an expression in the release."
  def eval(host, expression, env \\ []) do
    script = Path.join(host, "_build/prod/rel/host/bin/host")

    System.cmd(script, ["eval", expression],
      env: [{"VIAL_NIF", nil}] ++ env,
      stderr_to_stdout: true
    )
  end

  @doc "The environment of a machine without Rust."
  def without_rust(folder) do
    folders =
      for folder_of_path <- String.split(System.get_env("PATH"), ":") do
        if Enum.any?(["cargo", "rustc"], &File.exists?(Path.join(folder_of_path, &1))),
          do: shadow(folder, folder_of_path),
          else: folder_of_path
      end

    [{"PATH", Enum.join(folders, ":")}, {"CARGO_HOME", folder}]
  end

  # The same programs without those of Rust.
  defp shadow(folder, of) do
    shadow = Path.join([folder, "shadow", of])
    File.mkdir_p!(shadow)

    for name <- File.ls!(of), name not in ["cargo", "rustc", "rustup"] do
      File.ln_s(Path.join(of, name), Path.join(shadow, name))
    end

    shadow
  end

  @doc "The environment of a machine whose cargo and rustc are these scripts."
  def with_scripts(folder, cargo, rustc) do
    bin = Path.join(folder, "scripts")
    File.mkdir_p!(bin)

    for {name, text} <- [{"cargo", cargo}, {"rustc", rustc}] do
      File.write!(Path.join(bin, name), "#!/bin/sh\n" <> text)
      File.chmod!(Path.join(bin, name), 0o755)
    end

    [{"PATH", bin <> ":" <> System.get_env("PATH")}]
  end

  @doc "Where this library's own cargo builds, whose compiled crates a copy can use too."
  def target, do: Path.expand(System.get_env("CARGO_TARGET_DIR") || "target", @root)
end
