defmodule Vial.NativeTest do
  # Reloads a module of this node.
  use ExUnit.Case, async: false

  import ExUnit.CaptureLog
  alias Vial.{Client, Native}

  @library Path.join(:code.priv_dir(:vial), "native/libvial_nif.so")

  test "the library has the version of this one" do
    assert Client.available?()
    assert Native.protocol_version() == Mix.Project.config()[:version]
    assert Native.why() == nil
  end

  test "a load beside the one that lives is refused, and the living one goes on" do
    log = capture_log(fn -> assert {:error, :on_load_failure} = :code.load_file(Native) end)
    assert log =~ "the one that is loaded goes on"
    assert Client.available?()

    assert {:error, %Vial.Error{reason: :unreachable}} =
             Client.call(:get, "/", :daemon, socket: "/no")
  end

  test "a module that was purged loads again, and its thread did not take the node with it" do
    {:error, %{reason: :unreachable}} = Client.call(:get, "/", :daemon, socket: "/no")
    :code.purge(Native)
    true = :code.delete(Native)
    :code.purge(Native)
    :erlang.garbage_collect()
    assert {:module, Native} = :code.ensure_loaded(Native)
    assert {:error, %{reason: :unreachable}} = Client.call(:get, "/", :daemon, socket: "/no")
  end

  describe "a node" do
    @describetag :tmp_dir

    test "without a library has a warning and an error, and goes on", %{tmp_dir: folder} do
      {output, 0} = node(folder, nil)
      assert output =~ "available: false"
      assert output =~ "#Vial.Error<:not_loaded "
      assert output |> String.split("[warning]") |> length() == 2
      assert output =~ "VIAL_NIF names none"
      assert output =~ "still alive"
    end

    test "loads the library that VIAL_NIF names", %{tmp_dir: folder} do
      {output, 0} = node(folder, @library)
      assert output =~ "available: true"
      assert output =~ "#Vial.Error<:unreachable "
      refute output =~ "[warning]"
    end

    test "with a library that is none has a warning that names it", %{tmp_dir: folder} do
      broken = Path.join(folder, "broken.so")
      File.write!(broken, "this is no library")
      {output, 0} = node(folder, broken)
      assert output =~ "available: false"
      assert output =~ "broken.so: "
      assert output =~ "still alive"
    end

    test "does not take a library of another version", %{tmp_dir: folder} do
      {output, 0} = node(folder, @library, "9.0.0")
      assert output =~ "available: false"
      assert output =~ "is not for version 9.0.0"
      assert output =~ "still alive"
    end

    # A node that has the library's code without its priv, with its own Vial.Native for a version.
    defp node(folder, nif, version \\ nil) do
      ebin = Path.join(folder, "lib/vial/ebin")
      File.mkdir_p!(ebin)

      for beam <- Path.wildcard(Path.join(:code.lib_dir(:vial), "ebin/*")),
          do: File.cp!(beam, Path.join(ebin, Path.basename(beam)))

      if version, do: compile(ebin, version)

      script = """
      IO.puts("available: " <> inspect(Vial.Client.available?()))
      for _ <- 1..3, do: IO.inspect(Vial.Client.call(:get, "/", :daemon, socket: "/no"))
      {:error, _} = Vial.Client.stream("/v1/events", socket: "/no")
      Process.sleep(50)
      IO.puts("still alive")
      """

      System.cmd("elixir", ["-pa", ebin, "-e", script],
        env: [{"VIAL_NIF", nif}],
        stderr_to_stdout: true
      )
    end

    defp compile(ebin, version) do
      source = File.read!("lib/vial/native.ex")
      changed = String.replace(source, "Mix.Project.config()[:version]", inspect(version))
      assert changed != source
      file = Path.join(ebin, "native.ex")
      File.write!(file, changed)
      {_, 0} = System.cmd("elixirc", ["-o", ebin, file], stderr_to_stdout: true)
    end
  end
end
