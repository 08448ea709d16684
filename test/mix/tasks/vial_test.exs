defmodule Mix.Tasks.VialTest do
  # Tasks print, end the process that runs them, and read the environment.
  use ExUnit.Case, async: false

  import ExUnit.CaptureIO
  import Vial.Samples

  alias Vial.{FakeClient, FakeSSH, Place}

  @tasks ~w(status history logs rollback deploy standby migrations init)

  setup do
    Place.nowhere()
    FakeClient.install()
    Mix.shell(Mix.Shell.Process)

    on_exit(fn ->
      Mix.shell(Mix.Shell.IO)
      Application.delete_env(:vial, :terminal)
    end)
  end

  test "each has a line in `mix help`, and a help that shows how it is called" do
    for name <- @tasks do
      module = Mix.Task.get!("vial." <> name)
      assert Mix.Task.shortdoc(module)
      assert Mix.Task.moduledoc(module) =~ "    mix vial.#{name}"
    end
  end

  describe "the daemon that is meant" do
    setup do
      FakeClient.answer(fn :get, _path, _opts -> {:ok, status()} end)
    end

    test "is this host's own, and the application this project" do
      assert {0, shown, ""} = run("status")
      assert shown =~ "v2.0.0 serves"
      assert_received {:called, :get, "/v1/apps/vial", opts}
      assert opts[:socket] == "/run/vial/vial.sock"
    end

    test "is the one that the options or the environment name" do
      System.put_env("VIAL_SOCKET", "/tmp/a.sock")
      run("status", ["--app", "shop"])
      assert_received {:called, :get, "/v1/apps/shop", opts}
      assert opts[:socket] == "/tmp/a.sock"
      run("status", ["--socket", "/tmp/b.sock"])
      assert_received {:called, :get, _path, opts}
      assert opts[:socket] == "/tmp/b.sock"
    end

    test "is the one in the configuration where it names one" do
      Application.put_env(:vial, :app, "store")
      on_exit(fn -> Application.delete_env(:vial, :app) end)
      run("status")
      assert_received {:called, :get, "/v1/apps/store", _opts}
    end

    test "that is away ends with 4, and with what to do" do
      FakeClient.answer(fn :get, _, _ ->
        {:error, error(:unreachable, "It is not there.", "start it")}
      end)

      assert {4, "", "It is not there.\nNext: start it\n"} = run("status")
    end

    test "that fails ends with 1, and one that refuses with 3" do
      FakeClient.answer(fn :get, _, _ -> {:error, error(:internal)} end)
      assert {1, _, _} = run("history")
      FakeClient.answer(fn :get, _, _ -> {:error, error(:unknown_app)} end)
      assert {3, _, _} = run("history")
    end
  end

  describe "a daemon on another host" do
    @describetag :tmp_dir

    setup %{tmp_dir: tmp} do
      FakeSSH.install(tmp)
    end

    test "is reached by ssh, which ends with the task", %{tmp_dir: tmp} do
      FakeClient.answer(fn :get, _path, opts ->
        assert File.exists?(opts[:socket])
        {:ok, status()}
      end)

      assert {0, _shown, ""} = run("status", ["--host", "deploy@www"])
      assert_received {:called, :get, _path, opts}
      refute File.exists?(Path.dirname(opts[:socket]))
      assert FakeSSH.ended?(tmp)
      assert "#{opts[:socket]}:/run/vial/vial.sock" in FakeSSH.arguments(tmp)
    end

    test "that cannot be reached ends with 4 and ssh's own words" do
      System.put_env("FAKE_SSH", "denied")
      assert {4, "", said} = run("status", ["--host", "deploy@www"])
      assert said =~ "ssh could not reach deploy@www: it ended with status 255.\n"
      assert said =~ "  │ deploy@host: Permission denied (publickey).\n"
    end

    test "leaves no ssh where the task itself breaks", %{tmp_dir: tmp} do
      FakeClient.answer(fn :get, _path, _opts -> raise "broken" end)
      assert_raise RuntimeError, "broken", fn -> run("status", ["--host", "www"]) end
      assert FakeSSH.ended?(tmp)
    end
  end

  describe "a command line that is wrong" do
    test "is named, with the nearest right one, and ends with 2" do
      for {name, argv, said} <- [
            {"rollback", ["--reson", "x"], "There is no --reson. Did you mean --reason?"},
            {"rollback", ["--to", "five"], ~s(--to cannot be "five".)},
            {"rollback", ["--to"], "--to needs a value."},
            {"rollback", ["--keep-migrations", "--revert-migrations"], "exclude each other"},
            {"status", ["shop"], ~s("shop" is one argument too many.)},
            {"logs", ["--slot", "red"], ~s(--slot is blue or green, not "red".)},
            {"migrations", ["--up", "--down-to", "1"], "exclude each other"},
            {"standby", [], "is missing: cold, warm or frozen"},
            {"standby", ["hot"], ~s("hot" is no standby)},
            {"standby", ["warm", "--for", "2 days"], "as 90s, 15m or 2h, not"},
            {"init", ["--ports", "4000"], "two different ports, blue first: 4000,4001"},
            {"init", ["--app", "Shop!"], "name it with --app"}
          ] do
        assert {2, "", complaint} = run(name, argv)
        assert complaint =~ said
        assert complaint =~ "Next: `mix help vial.#{name}`"
      end
    end
  end

  describe "standby" do
    setup do
      FakeClient.answer(fn :post, _path, _opts ->
        {:ok, %Vial.Accepted{message: "Blue comes to rest."}}
      end)
    end

    test "says what the idle slot shall do, and for how long" do
      assert {0, "Blue comes to rest.\n", ""} = run("standby", ["frozen", "--app", "shop"])
      assert_received {:called, :post, "/v1/apps/shop/standby", opts}
      assert opts[:body] == %{mode: :frozen}
      assert {0, _said, ""} = run("standby", ["warm", "--for", "2h", "--app", "shop"])
      assert_received {:called, :post, _path, opts}
      assert opts[:body] == %{mode: :warm, for_ms: 7_200_000}
    end

    test "that is refused ends with 3, and with why" do
      FakeClient.answer(fn :post, _, _ ->
        {:error, error(:nothing_to_roll_back_to, "There is nothing.", "deploy twice")}
      end)

      assert {3, "", "Not changed: There is nothing.\nNext: deploy twice\n"} =
               run("standby", ["warm"])
    end
  end

  describe "rollback" do
    setup do
      FakeClient.answer(&daemon/3)
    end

    test "without a terminal it shows the plan and goes" do
      Application.put_env(:vial, :terminal, false)
      assert {0, shown, ""} = run("rollback", ["--app", "shop", "--reason", "500s"])
      assert shown =~ "Roll back shop: v2.0.0 (#2) → v1.0.0 (#1)"
      assert shown =~ "Rolled back: v1.0.0 serves"
      assert_received {:called, :post, "/v1/apps/shop/rollback", opts}
      assert %{digest: "d1g35t", reason: "500s"} = opts[:body]
    end

    test "--plan changes nothing" do
      assert {0, shown, ""} = run("rollback", ["--app", "shop", "--plan"])
      assert shown =~ "Roll back shop"
      refute_received {:called, :post, _path, _opts}
    end

    test "on a terminal it asks, and a no changes nothing" do
      Application.put_env(:vial, :terminal, true)
      send(self(), {:mix_shell_input, :yes?, false})
      assert {3, _shown, "Nothing was changed.\n"} = run("rollback", ["--app", "shop"])
      assert_received {:mix_shell, :yes?, ["Roll back?"]}
      refute_received {:called, :post, _path, _opts}

      assert {0, _shown, ""} = run("rollback", ["--app", "shop", "--yes"])
      refute_received {:mix_shell, :yes?, _question}
    end

    test "a destructive migration is refused without a terminal, and the option is named" do
      Application.put_env(:vial, :terminal, false)
      in_the_way()
      assert {3, _shown, said} = run("rollback", ["--app", "shop", "--reason", "it's bad"])
      assert said =~ "Not rolled back: #2 drops users.name"
      call = "mix vial.rollback --app shop --reason 'it'\\''s bad'"
      assert said =~ "`#{call} --revert-migrations` reverts it first"
      assert said =~ "`#{call} --keep-migrations` leaves the database as it is"
      refute_received {:called, :post, _path, _opts}
    end

    test "on a terminal it can be answered, and the plan that follows is the one that is agreed to" do
      Application.put_env(:vial, :terminal, true)
      in_the_way()
      send(self(), {:mix_shell_input, :prompt, "revert\n"})
      send(self(), {:mix_shell_input, :yes?, true})
      assert {0, shown, ""} = run("rollback", ["--app", "shop"])
      assert shown =~ "1 migration reverted before the switch:"
      assert_received {:called, :post, _path, opts}
      assert %{migrations: :revert, digest: "reverting"} = opts[:body]
    end

    test "a plan that has changed meanwhile is shown and asked for again" do
      Application.put_env(:vial, :terminal, true)

      FakeClient.answer(fn
        :post, path, opts ->
          if opts[:body].digest == "new",
            do: daemon(:post, path, opts),
            else: {:error, %{error(:stale_plan) | plan: plan(digest: "new")}}

        method, path, opts ->
          daemon(method, path, opts)
      end)

      for _ <- 1..2, do: send(self(), {:mix_shell_input, :yes?, true})
      assert {0, _shown, "The plan has changed meanwhile:\n"} = run("rollback", ["--app", "shop"])
    end
  end

  describe "deploy" do
    @describetag :tmp_dir

    setup %{tmp_dir: tmp} do
      release = Path.join(tmp, "rel")
      for dir <- ["bin", "releases"], do: File.mkdir_p!(Path.join(release, dir))
      Application.put_env(:vial, :terminal, false)
      {:ok, release: release}
    end

    test "sends a folder and follows the deployment", %{release: release} do
      FakeClient.answer(&daemon/3)
      assert {0, shown, ""} = run("deploy", [release, "--app", "shop", "--reason", "new"])
      assert shown =~ "Sending"
      assert shown =~ "Rolled back: v1.0.0 serves"
      assert_received {:called, :post, "/v1/apps/shop/deployments", opts}
      assert opts[:query] == [reason: "new", allow_destructive: nil]
      assert {:file, archive} = opts[:body]
      refute File.exists?(archive)
    end

    test "a destructive migration is asked about on a terminal", %{release: release} do
      Application.put_env(:vial, :terminal, true)

      FakeClient.answer(fn
        :post, path, opts ->
          if opts[:query][:allow_destructive],
            do: daemon(:post, path, opts),
            else: {:error, error(:destructive, "It drops users.name.")}

        method, path, opts ->
          daemon(method, path, opts)
      end)

      send(self(), {:mix_shell_input, :yes?, true})
      assert {0, shown, ""} = run("deploy", [release, "--app", "shop"])
      assert shown =~ "It drops users.name."
    end

    test "what is no release is said before anybody is called", %{tmp_dir: tmp} do
      assert {1, "", said} = run("deploy", [Path.join(tmp, "rel/bin"), "--app", "shop"])
      assert said =~ "is not a release: it has no `bin` or no `releases` folder."
      refute_received {:called, _, _, _}
    end
  end

  describe "logs and migrations" do
    test "a log reaches the terminal clean" do
      lines = [%Vial.Log.Line{at: 0, text: "hello\e[2J"}]

      FakeClient.answer(fn :get, _, _ ->
        {:ok, %Vial.Log{slot: :green, lines: lines, cursor: 6}}
      end)

      assert {0, "hello\n", ""} = run("logs", ["--app", "shop", "-s", "green", "-n", "5"])
      assert_received {:called, :get, "/v1/apps/shop/logs", opts}
      assert Enum.sort(opts[:query]) == [lines: 5, slot: :green]
    end

    test "migrations are listed, and moved by a release that has them" do
      FakeClient.answer(fn
        :get, _path, _opts -> {:ok, %Vial.Migrations.Report{release: 2, label: "v2.0.0"}}
        :post, _path, _opts -> {:ok, moved()}
      end)

      assert {0, "v2.0.0 (#2) has no migrations.\n", ""} =
               run("migrations", ["--app", "shop", "--release", "2"])

      assert_received {:called, :get, "/v1/apps/shop/migrations", opts}
      assert opts[:query] == [release: 2]

      argv = ["--app", "shop", "--release", "2", "--down-to", "20", "--yes"]

      assert {0, "Reverted 1.\n  Repository  Version\n  Shop.Repo        20\n", ""} =
               run("migrations", argv)

      assert_received {:called, :post, "/v1/apps/shop/migrations", opts}
      assert opts[:body] == %{release: 2, down_to: 20}
    end

    defp moved do
      moved = [%Vial.Migrations.Moved{repo: "Shop.Repo", version: 20}]
      %Vial.Migrations.Migrated{release: 2, moved: moved, message: "Reverted 1."}
    end
  end

  describe "init" do
    @describetag :tmp_dir

    test "writes the application's file and never over one that is there", %{tmp_dir: tmp} do
      File.cd!(tmp, fn ->
        argv = ["--app", "shop", "--domain", "shop.example.com", "--ports", "4100,4101"]
        assert {0, shown, ""} = run("init", argv)
        assert shown =~ "Wrote rel/vial/shop.toml.\n"
        assert shown =~ "scp rel/vial/shop.toml HOST:/etc/vial/apps/shop.toml"
        toml = File.read!("rel/vial/shop.toml")
        assert toml =~ ~s(name = "shop"\n)
        assert toml =~ "ports = { blue = 4100, green = 4101 }"
        assert toml =~ ~s(hosts = ["shop.example.com"])
        refute toml =~ ~r|@[A-Z]|

        File.write!("rel/vial/shop.toml", "mine")
        assert {0, shown, ""} = run("init", argv)
        assert shown =~ "rel/vial/shop.toml was there already and stays as it is."
        assert File.read!("rel/vial/shop.toml") == "mine"
      end)
    end

    test "with Ecto, a release migrates itself" do
      project = %{
        app: "shop",
        module: "Shop",
        release: "shop",
        hosts: [],
        ports: {4000, 4001},
        user: "shop",
        repos: [Shop.Repo],
        ecto: true
      }

      toml = Vial.Init.app_toml(project)
      assert toml =~ ~s|\nmigrate = "Shop.Release.migrate()"\n|
      assert toml =~ ~s(\nrepos = ["Shop.Repo"]\n)
      source = Vial.Init.release_ex(project)
      assert source == IO.iodata_to_binary([Code.format_string!(source), "\n"])
      assert source =~ "defmodule Shop.Release do"
    end
  end

  # What a task printed, what it complained of, and how it ended.
  defp run(name, argv \\ []) do
    {{status, shown}, complaint} =
      with_err(fn ->
        with_io(fn ->
          try do
            Mix.Task.rerun("vial." <> name, argv)
            0
          catch
            :exit, {:shutdown, status} -> status
          end
        end)
      end)

    {status, shown, complaint}
  end

  defp with_err(fun) do
    {answer, complaint} = with_io(:stderr, fun)
    {answer, complaint}
  end

  defp in_the_way do
    FakeClient.answer(fn
      :get, "/v1/apps/shop/rollback", opts ->
        database =
          if opts[:query][:migrations] == :revert,
            do: {:revert, [20]},
            else: {:choose, [:keep, :revert]}

        {:ok, plan(migrations: [migration(20)], database: database, digest: "reverting")}

      method, path, opts ->
        daemon(method, path, opts)
    end)
  end

  defp daemon(:get, "/v1/apps/shop/rollback", _opts), do: {:ok, plan()}
  defp daemon(:post, _path, _opts), do: {:ok, %Vial.Accepted{deployment: 3, message: "Accepted."}}
  defp daemon(:get, "/v1/apps/shop/deployments/3", _opts), do: {:ok, rolled_back()}
  defp daemon(:stream, "/v1/events", _opts), do: [{:app, status(last: rolled_back())}]

  defp rolled_back, do: deployment(3, kind: :rollback, slot: :blue, release: release(1))
end
