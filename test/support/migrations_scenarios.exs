defmodule MigrationsScenarios do
  @moduledoc """
  What reverting migrations has to be like, in the three ways in which it is done: by
  `Vial.Migrations`, by what the daemon evaluates in a release that has the library, and by the same
  in one that has not. Run against the real Ecto and against the double.
  """

  import ExUnit.CaptureIO

  @text File.read!(Path.expand("../../sidecar/src/app/jobs/in_app.exs", __DIR__))

  @doc "The expression that the daemon has evaluated."
  def expression(way, args, work \\ "nil") do
    # A release without the library is one without that module.
    text =
      if way == :plain,
        do: String.replace(@text, "Vial.Migrations.Runner", "Not.There"),
        else: @text

    "(#{text}\n).(#{inspect(args)}, fn -> (\n#{work}\n) end)"
  end

  @doc "Evaluates it; what it wrote after the token, line by line."
  def evaluate(way, args, work \\ "nil") do
    capture_io(fn ->
      try do
        Code.eval_string(expression(way, args, work))
      rescue
        error -> IO.puts("raised #{Exception.message(error)}")
      end
    end)
    |> String.split("\n", trim: true)
    |> Enum.map(&String.replace_prefix(&1, "vial:t0k3n ", ""))
  end

  @doc "Moves; `{the versions that moved, the error or nil}`."
  def move(way, direction, versions, options \\ [])

  def move(:library, direction, versions, options) do
    result =
      case direction do
        :down -> Vial.Migrations.down(versions, options)
        :up -> Vial.Migrations.up([versions: versions] ++ options)
      end

    case result do
      {:ok, moved} -> {Enum.map(moved, &{&1.repo, &1.version}), nil}
      {:error, error} -> {:unknown, "#{error.message} #{error.next}"}
    end
  end

  def move(way, direction, versions, options) do
    lines = evaluate(way, args(direction, versions, options))
    assert_done(lines)

    moved =
      for "moved " <> rest <- lines,
          [repo, version] = String.split(rest),
          do: {repo, String.to_integer(version)}

    errors = for "error " <> text <- lines, do: text
    {moved, List.first(errors)}
  end

  @doc "What the daemon passes."
  def args(action, versions, options \\ []) do
    %{
      action: action,
      repos: options |> Keyword.get(:repos, []) |> List.wrap(),
      apps: [:contract],
      versions: versions,
      token: "t0k3n",
      lock_timeout: Keyword.get(options, :lock_timeout, 15_000)
    }
  end

  defp assert_done(lines) do
    if List.last(lines) != "done", do: raise("the last line is not done: #{inspect(lines)}")
  end

  defmacro __using__(ground: ground) do
    quote location: :keep do
      use ExUnit.Case
      import EctoGround
      import MigrationsScenarios
      alias EctoGround.{Other, Repo}

      @ground unquote(ground)
      @moduletag :capture_log
      @repo "EctoGround.Repo"
      @ways [:library, :runner, :plain]

      setup do
        clean(@ground)

        write(1, "create_users", """
        def change do
          create table(:users) do
            add :name, :string
            add :email, :string
          end
        end
        """)

        write(2, "add_age", """
        def change do
          alter table(:users) do
            add :age, :integer
          end
        end
        """)

        write(3, "drop_name", """
        def up do
          alter table(:users) do
            remove :name
          end
        end
        def down do
          alter table(:users) do
            add :name, :string
          end
        end
        """)

        write(4, "drop_email", """
        def change do
          alter table(:users) do
            remove :email, :string
          end
        end
        """)

        migrate()
        :ok
      end

      defp start(options \\ []), do: start_supervised!({Repo, options})

      for way <- @ways do
        @way way

        test "a dropped column is reverted, and the old query works again (#{way})" do
          start()
          assert {:error, _} = Repo.query("SELECT id, name FROM users")
          assert move(@way, :down, [3, 4]) == {[{@repo, 4}, {@repo, 3}], nil}
          assert {:ok, _} = Repo.query("SELECT id, name FROM users")
          assert applied() == [1, 2]
        end

        test "an additive migration that nobody named is left alone (#{way})" do
          assert move(@way, :down, [4, 3]) == {[{@repo, 4}, {@repo, 3}], nil}
          assert "age" in @ground.columns(Repo, "users")
        end

        test "exactly the named ones go, also where others lie between (#{way})" do
          assert move(@way, :down, [2, 4]) == {[{@repo, 4}, {@repo, 2}], nil}
          assert applied() == [1, 3]
          assert @ground.columns(Repo, "users") == ["id", "email"]
        end

        test "what is down already is no error (#{way})" do
          assert {[{@repo, 4}], nil} = move(@way, :down, [4])
          assert move(@way, :down, [3, 4]) == {[{@repo, 3}], nil}
        end

        test "up brings back what is down, the oldest first (#{way})" do
          move(@way, :down, [2, 3, 4])
          assert move(@way, :up, [3]) == {[{@repo, 3}], nil}
          assert move(@way, :up, :all) == {[{@repo, 2}, {@repo, 4}], nil}
          assert move(@way, :up, :all) == {[], nil}
        end

        test "a release without a file moves nothing and names it (#{way})" do
          forget(3)
          {moved, error} = move(@way, :down, [4, 3])
          assert moved in [[], :unknown]
          assert error =~ "This release has no file of 3. Nothing was moved."
          assert error =~ "run it in the release that brought it"
          assert applied() == [1, 2, 3, 4]
        end

        test "a version that nobody knows is named (#{way})" do
          assert {_, "This release has no file of 99." <> _} = move(@way, :down, [4, 99])
          assert applied() == [1, 2, 3, 4]
        end

        test "a running repo with a pool of one is enough (#{way})" do
          configure(Repo, Keyword.put(Repo.config(), :pool_size, 1))
          start()
          assert move(@way, :down, [4]) == {[{@repo, 4}], nil}
          assert {:ok, _} = Repo.query("SELECT 1")
        end

        test "a repo that does not run is started, and stopped again (#{way})" do
          refute Process.whereis(Repo)
          assert move(@way, :down, [4]) == {[{@repo, 4}], nil}
          refute Process.whereis(Repo)
        end

        test "a migration without a way down says so, and those before it stay moved (#{way})" do
          write(5, "touch_rows", "def change, do: execute(\"DELETE FROM users WHERE id = 1\")")
          write(6, "create_carts", "def change, do: create(table(:carts))")
          migrate()
          {moved, error} = move(@way, :down, [5, 6])
          assert moved in [[{@repo, 6}], :unknown]
          assert error =~ "5 touch_rows did not go down"
          assert error =~ "cannot reverse migration command"
          assert applied() == [1, 2, 3, 4, 5]
        end

        test "a down that fails changes nothing by itself, and is quoted (#{way})" do
          write(5, "fails", """
          def up, do: create(table(:orders))
          def down do
            drop table(:orders)
            execute "SELECT 1/0"
          end
          """)

          write(6, "create_carts", "def change, do: create(table(:carts))")
          migrate()
          {moved, error} = move(@way, :down, [5, 6])
          assert moved in [[{@repo, 6}], :unknown]
          assert error =~ "5 fails did not go down"
          assert error =~ "division by zero"
          assert @ground.columns(Repo, "orders") == ["id"]
          assert @ground.columns(Repo, "carts") == nil
        end

        test "a lock that somebody holds is waited for no longer than the limit (#{way})" do
          start()

          @ground.holding_lock(Repo, fn ->
            {took, {moved, error}} =
              :timer.tc(fn -> move(@way, :down, [4, 3], lock_timeout: 400) end)

            assert moved in [[], :unknown]
            assert error =~ "4 drop_email did not go down"
            assert error =~ "lock"
            # The library is there to say who it is.
            if @way != :plain, do: assert(error =~ "another deploy")
            assert took in 390_000..3_000_000
          end)

          assert applied() == [1, 2, 3, 4]
          assert move(@way, :down, [4], lock_timeout: 400) == {[{@repo, 4}], nil}
        end

        test "the migrations of each repo are moved in it (#{way})" do
          write(Other, 1, "create_logs", "def change, do: create(table(:logs))")
          write(Other, 5, "create_traces", "def change, do: create(table(:traces))")
          migrate(Other)
          options = [repos: [Repo, Other]]

          assert move(@way, :down, [4, 5], options) ==
                   {[{"EctoGround.Other", 5}, {@repo, 4}], nil}

          assert applied() == [1, 2, 3]
          assert applied(Other) == [1]
          assert @ground.columns(Other, "traces") == nil

          assert move(@way, :up, :all, options) == {[{@repo, 4}, {"EctoGround.Other", 5}], nil}
        end

        test "nothing is moved where one repo's file of a version is missing (#{way})" do
          write(Other, 4, "create_logs", "def change, do: create(table(:logs))")
          migrate(Other)
          forget(Other, 4)
          assert {_, error} = move(@way, :down, [4], repos: [Repo, Other])
          assert error =~ "This release has no file of 4. Nothing was moved."
          assert applied() == [1, 2, 3, 4]
        end

        test "what is no repo is named (#{way})" do
          assert {_, error} = move(@way, :down, [4], repos: [Nowhere.Repo])
          assert error =~ "Nowhere.Repo is no Ecto repo of this release."
        end

        test "a database that cannot be reached ends in an error (#{way})" do
          @ground.unreachable(Repo, fn ->
            {moved, error} = move(@way, :down, [4])
            assert moved in [[], :unknown]
            assert error =~ ~r/connect/
          end)

          assert applied() == [1, 2, 3, 4]
        end
      end

      for way <- [:runner, :plain] do
        @way way

        test "the list is one line a migration, without a name where there is no file (#{way})" do
          forget(2)
          move(@way, :down, [4])

          assert evaluate(@way, args(:list, [])) == [
                   "state #{@repo} up 1 create_users",
                   "state #{@repo} up 2",
                   "state #{@repo} up 3 drop_name",
                   "state #{@repo} down 4 drop_email",
                   "done"
                 ]
        end

        test "the list does not wait for a lock (#{way})" do
          @ground.holding_lock(Repo, fn ->
            assert length(evaluate(@way, args(:list, []))) == 5
          end)
        end

        test "what was moved and what was not are told apart (#{way})" do
          move(@way, :down, [4])

          assert evaluate(@way, args(:down, [3, 4])) ==
                   ["already #{@repo} 4", "moved #{@repo} 3", "done"]
        end

        test "around the app's own migrate, what it applied is told (#{way})" do
          move(@way, :down, [2, 4])

          assert evaluate(@way, args(:around, []), "IO.puts(\"hi\"); EctoGround.migrate() # all") ==
                   ["hi", "moved #{@repo} 2", "moved #{@repo} 4", "done"]
        end

        test "where the app's own migrate fails, it fails as it would alone (#{way})" do
          move(@way, :down, [4])
          work = "EctoGround.migrate(); raise \"no\""

          assert evaluate(@way, args(:around, []), work) ==
                   ["moved #{@repo} 4", "done", "raised no"]
        end

        test "where nothing can be listed, the app's own migrate runs all the same (#{way})" do
          @ground.unreachable(Repo, fn ->
            lines = evaluate(@way, args(:around, []), "IO.puts(\"ran\")")
            assert ["unknown " <> reason, "ran" | _] = lines
            refute reason =~ "Next:"
            assert List.last(lines) == "done"
          end)
        end

        test "it goes on where nobody listens any more (#{way})" do
          {gone, monitor} = spawn_monitor(fn -> :ok end)
          assert_receive {:DOWN, ^monitor, _, _, _}
          text = expression(@way, args(:down, [3, 4]))

          task =
            Task.async(fn ->
              Process.group_leader(self(), gone)
              Code.eval_string(text)
            end)

          Task.await(task)
          assert applied() == [1, 2]
        end

        test "an error of many lines is one line (#{way})" do
          write(5, "fails", """
          def up, do: create(table(:orders))
          def down, do: raise("first\\nsecond " <> String.duplicate("x", 5000))
          """)

          migrate()
          assert ["error " <> text, "done"] = evaluate(@way, args(:down, [5]))
          assert text =~ "first\\nsecond"
          assert String.length(text) <= 2100
        end
      end

      test "the library lists structs" do
        assert {:ok, states} = Vial.Migrations.list(repos: Repo)

        assert Enum.map(states, &{&1.version, &1.name, &1.applied}) |> hd() ==
                 {1, "create_users", :up}
      end

      test "a plan's migrations can be reverted as they stand in it" do
        plan = %Vial.Plan{migrations: [%Vial.Migration{version: 3}, %Vial.Migration{version: 4}]}
        assert {:ok, [%{version: 4}, %{version: 3}]} = Vial.Migrations.down(plan)
      end

      test "the error has a reason for programs" do
        write(5, "nothing_back", "def up, do: :ok")
        migrate()
        assert {:error, %{reason: :irreversible}} = Vial.Migrations.down(5)
        assert {:error, %{reason: :not_found}} = Vial.Migrations.down(77)
        assert {:error, %{reason: :configuration}} = Vial.Migrations.down(1, repos: Nowhere.Repo)
      end
    end
  end
end
