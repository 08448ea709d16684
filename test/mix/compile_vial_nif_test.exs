defmodule Mix.Tasks.Compile.VialNifTest do
  # Real builds, and two cores.
  use ExUnit.Case, async: false

  import Vial.HostApp

  @moduletag :tmp_dir
  @moduletag timeout: 300_000

  @library "priv/native/libvial_nif.so"
  @ask "IO.inspect(Vial.Client.available?()); IO.inspect(Vial.Client.call(:get, \"/\", :daemon, socket: \"/no\"))"

  describe "in a release" do
    test "of an app that has it from git, the NIF is compiled in", %{tmp_dir: folder} do
      vial = copy_library(folder)

      for args <- [~w(init -q), ~w(add -A), ~w(-c user.name=t -c user.email=t@t commit -qm x)] do
        {_, 0} = System.cmd("git", args, cd: vial)
      end

      host = new(folder, git: "file://" <> vial)
      env = [{"CARGO_TARGET_DIR", target()}]
      {_, 0} = mix(host, ["deps.get"], env)
      {output, 0} = mix(host, ["release"], env)
      assert output =~ "Compiling Vial's NIF"
      [shipped] = Path.wildcard(Path.join(host, "_build/prod/rel/host/lib/vial-*/" <> @library))
      assert File.lstat!(shipped).type == :regular

      for mode <- ["embedded", "interactive"] do
        {output, 0} = eval(host, @ask, [{"RELEASE_MODE", mode}])
        assert output =~ "true" and output =~ "#Vial.Error<:unreachable "
        refute output =~ "warning"
      end
    end

    test "that was made without cargo, the NIF is the one that VIAL_NIF names", %{tmp_dir: folder} do
      copy_library(folder)
      host = new(folder, path: "../vial")
      {output, 0} = mix(host, ["release"], without_rust(folder))
      assert output =~ "cargo is not installed"
      {output, 0} = mix(host, ["compile"], without_rust(folder))
      refute output =~ "cargo"
      own = Path.join(:code.priv_dir(:vial), "native/libvial_nif.so")
      {output, 0} = eval(host, @ask, [{"VIAL_NIF", own}])
      assert output =~ "true" and output =~ "#Vial.Error<:unreachable "
      {output, 0} = eval(host, @ask)
      assert output =~ "false" and output =~ "#Vial.Error<:not_loaded "
      assert output =~ "Vial's NIF is not loaded"
      broken = Path.join(folder, "broken.so")
      File.write!(broken, "no library")
      {output, 0} = eval(host, @ask, [{"VIAL_NIF", broken}])
      assert output =~ "false" and output =~ "#Vial.Error<:not_loaded " and output =~ "broken.so"
    end
  end

  describe "with a cargo that only pretends" do
    setup %{tmp_dir: folder} do
      vial = copy_library(folder)
      calls = Path.join(folder, "calls")

      cargo = """
      echo called >> #{calls}
      mkdir -p $CARGO_TARGET_DIR/release
      date +%N > $CARGO_TARGET_DIR/release/libvial_nif.so
      """

      env = with_scripts(folder, cargo, "echo rustc 1.99.0")

      %{
        vial: vial,
        env: env,
        calls: fn -> calls |> File.read!() |> String.split() |> length() end
      }
    end

    test "a second compile does not call it, and a change of the sources does", context do
      %{vial: vial, env: env, calls: calls} = context
      {_, 0} = mix(vial, ["compile"], env)
      library = Path.join(vial, @library)
      before = File.stat!(library)
      assert calls.() == 1
      assert {"", 0} = mix(vial, ["compile"], env)
      File.touch!(Path.join(vial, "native/src/lib.rs"))
      assert {"", 0} = mix(vial, ["compile"], env)
      assert calls.() == 1
      assert File.stat!(library).inode == before.inode

      for {changed, number} <-
            Enum.with_index(["native/src/lib.rs", "sidecar/protocol/src/app.rs", "Cargo.lock"], 2) do
        File.write!(Path.join(vial, changed), "# changed", [:append])
        {_, 0} = mix(vial, ["compile"], env)
        assert calls.() == number
      end

      # Renamed over the old one, which a node may have mapped.
      assert File.stat!(library).inode != before.inode
      File.rm!(library)
      {_, 0} = mix(vial, ["compile"], env)
      assert File.exists?(library)
    end

    test "VIAL_BUILD_NIF=0 builds nothing", %{vial: vial, env: env, tmp_dir: folder} do
      {_, 0} = mix(vial, ["compile"], [{"VIAL_BUILD_NIF", "0"} | env])
      refute File.exists?(Path.join(folder, "calls"))
    end
  end

  test "a build that fails fails the compile, and cargo's words are shown", %{tmp_dir: folder} do
    env =
      with_scripts(folder, "echo 'error: linker not found' >&2; exit 101", "echo rustc 1.99.0")

    {output, status} = folder |> copy_library() |> mix(["compile"], env)
    assert status == 1
    assert output =~ "error: linker not found"
    assert output =~ "cargo ended with status 101"
    assert output =~ "VIAL_BUILD_NIF=0"
  end

  test "a Rust that is too old is named once, and all goes on without", %{tmp_dir: folder} do
    vial = copy_library(folder)
    env = with_scripts(folder, "exit 101", "echo 'rustc 1.63.0 (4b91a6ea7 2022-08-08)'")
    {output, 0} = mix(vial, ["compile"], env)
    assert output =~ "Rust 1.63 is too old"
    assert {"", 0} = mix(vial, ["compile"], env)
  end
end
