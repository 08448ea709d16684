defmodule EctoContract do
  @moduledoc """
  How Ecto behaves where Vial relies on it, as a suite that is run against the real one and against
  the double.
  """

  defmacro __using__(ground: ground) do
    quote location: :keep do
      use ExUnit.Case
      import EctoGround
      alias Ecto.Migrator
      alias EctoGround.Repo

      @ground unquote(ground)
      @moduletag :capture_log

      setup do
        clean(@ground)
        write(1, "create_users", "def change, do: create table(:users)")

        write(2, "add_name", """
        def change do
          alter table(:users) do
            add :name, :string
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

        :ok
      end

      defp start(options \\ []), do: start_supervised!({Repo, options})

      defp compile_third do
        file = Path.join(Migrator.migrations_path(Repo), "3_drop_name.exs")
        [{module, _}] = Code.compile_file(file)
        module
      end

      # A second instance, as Vial starts it.
      defp instance(limit) do
        {:ok, pid} = Repo.start_link(name: nil, pool_size: 2, parameters: [lock_timeout: limit])
        on_exit(fn -> if Process.alive?(pid), do: Supervisor.stop(pid) end)
        Process.unlink(pid)
        pid
      end

      test "up takes the oldest first, and nothing the second time" do
        start()
        assert Migrator.run(Repo, :up, all: true) == [1, 2, 3]
        assert Migrator.run(Repo, :up, all: true) == []
        assert @ground.columns(Repo, "users") == ["id"]
      end

      test "down to a version takes it too, the newest first, and nothing the second time" do
        migrate()
        start()
        assert Migrator.run(Repo, :down, to: 2) == [3, 2]
        assert Migrator.run(Repo, :down, to: 2) == []
      end

      test "down to a version, exclusive, leaves it" do
        migrate()
        start()
        assert Migrator.run(Repo, :down, to_exclusive: 2) == [3]
        assert "name" in @ground.columns(Repo, "users")
      end

      test "a release without the files moves nothing and does not say so" do
        migrate()
        for version <- [2, 3], do: forget(version)
        start()
        assert Migrator.run(Repo, :down, to: 2) == []
        assert applied() == [1, 2, 3]
      end

      test "a release without the files lists them as not found" do
        migrate()
        forget(3)
        start()

        assert Migrator.migrations(Repo) == [
                 {:up, 1, "create_users"},
                 {:up, 2, "add_name"},
                 {:up, 3, "** FILE NOT FOUND **"}
               ]
      end

      test "in the wrong release, step reverts that release's own migration" do
        migrate()
        forget(3)
        start()
        # The name is gone already, so what it reverts fails.
        assert_raise Postgrex.Error, ~r/undefined_column/, fn ->
          Migrator.run(Repo, :down, step: 1)
        end
      end

      test "a version is an integer" do
        migrate()
        start()
        assert_raise FunctionClauseError, fn -> Migrator.run(Repo, :down, to: "2") end
      end

      test "a change that cannot be turned around raises" do
        write(4, "drop_table", "def change, do: execute(\"DELETE FROM users WHERE id = 1\")")
        migrate()
        start()

        assert_raise Ecto.MigrationError, ~r/cannot reverse migration command/, fn ->
          Migrator.run(Repo, :down, to: 4)
        end

        assert applied() == [1, 2, 3, 4]
      end

      test "an up without a down raises" do
        write(4, "nothing_back", "def up, do: :ok")
        migrate()
        start()

        assert_raise Ecto.MigrationError, ~r/does not implement a `down\/0`/, fn ->
          Migrator.run(Repo, :down, to: 4)
        end
      end

      test "a migration that fails changes nothing, and those before it stay moved" do
        write(4, "fails", """
        def up, do: create(table(:orders))
        def down do
          drop table(:orders)
          execute "SELECT 1/0"
        end
        """)

        write(5, "fine", "def change, do: create(table(:carts))")
        migrate()
        start()
        error = catch_error(Migrator.run(Repo, :down, to: 4))
        assert %Postgrex.Error{postgres: %{code: :division_by_zero}} = error
        assert applied() == [1, 2, 3, 4]
        assert @ground.columns(Repo, "orders") == ["id"]
        assert @ground.columns(Repo, "carts") == nil
      end

      test "one migration is moved by its module, and not twice" do
        migrate()
        start()
        module = compile_third()

        assert Migrator.down(Repo, 3, module) == :ok
        assert Migrator.down(Repo, 3, module) == :already_down
        assert Migrator.up(Repo, 3, module, log: false) == :ok
        assert Migrator.up(Repo, 3, module, log: false) == :already_up
      end

      test "a list of versions and modules is moved and nothing else" do
        migrate()
        start()
        module = compile_third()

        assert Migrator.run(Repo, [{3, module}], :down, all: true) == [3]
        assert applied() == [1, 2]
      end

      test "a change is turned around, command by command" do
        write(4, "rename_and_index", """
        def change do
          create table(:orders) do
            add :number, :integer
            timestamps()
          end
          create index(:orders, [:number])
          rename table(:orders), :number, to: :count
          rename table(:orders), to: table(:sales)
        end
        """)

        migrate()
        start()
        assert @ground.columns(Repo, "sales") == ["id", "count", "inserted_at", "updated_at"]
        assert Migrator.run(Repo, :down, to: 4) == [4]
        assert @ground.columns(Repo, "orders") == nil
        assert @ground.columns(Repo, "sales") == nil
      end

      test "a query for a column that is gone is answered with an error" do
        migrate()
        start()
        assert {:ok, %{rows: []}} = Repo.query("SELECT id FROM users")
        assert {:ok, %{rows: [[1]]}} = Repo.query("SELECT 1")

        assert {:error, %Postgrex.Error{postgres: %{code: code}}} =
                 Repo.query("SELECT id, name FROM users")

        assert code == :undefined_column

        assert {:error, %Postgrex.Error{postgres: %{code: code}}} =
                 Repo.query("SELECT id FROM nothing")

        assert code == :undefined_table
      end

      test "a lock that is held ends in an error after the limit that the connection has" do
        migrate()
        start()
        pid = instance("150")

        @ground.holding_lock(Repo, fn ->
          {took, error} =
            :timer.tc(fn -> catch_error(Migrator.run(Repo, :down, to: 3, dynamic_repo: pid)) end)

          assert %MatchError{term: {:error, %{postgres: %{code: :lock_not_available}}}} =
                   Exception.normalize(:error, error)

          assert took >= 140_000
        end)

        assert applied() == [1, 2, 3]
      end

      test "a lock that is held is waited for where there is no limit" do
        migrate()
        start()
        test = self()

        task =
          @ground.holding_lock(Repo, fn ->
            task = Task.async(fn -> Migrator.run(Repo, :down, to: 3) end)
            refute Task.yield(task, 300)
            task
          end)

        assert Task.await(task) == [3]
      end

      test "to list without the lock does not wait for it" do
        migrate()
        start()

        @ground.holding_lock(Repo, fn ->
          folders = [Migrator.migrations_path(Repo)]
          assert [_, _, _] = Migrator.migrations(Repo, folders, migration_lock: false)
        end)
      end

      test "of two downs at once, one finds nothing left to do" do
        migrate()
        start(pool_size: 4)
        # Compiled once: as in two nodes, and not twice in one.
        module = compile_third()
        tasks = for _ <- 1..2, do: Task.async(fn -> Migrator.down(Repo, 3, module) end)
        assert tasks |> Task.await_many() |> Enum.sort() == [:already_down, :ok]
      end

      test "a pool of one is refused, and a second instance with two is not" do
        migrate()
        start(pool_size: 1)

        assert_raise Ecto.MigrationError, ~r/pool size/, fn ->
          Migrator.run(Repo, :down, to: 3)
        end

        assert Migrator.run(Repo, :down, to: 3, dynamic_repo: instance("1000")) == [3]
      end

      test "with_repo starts what does not run and stops it again" do
        assert {:ok, :done, _} =
                 Migrator.with_repo(Repo, fn Repo -> Process.whereis(Repo) && :done end)

        refute Process.whereis(Repo)
      end

      test "with_repo leaves what runs running" do
        pid = start()
        assert {:ok, :done, _} = Migrator.with_repo(Repo, fn Repo -> :done end)
        assert Process.whereis(Repo) == pid
      end
    end
  end
end
