defmodule VialEcto.PostgresSuite do
  # What the double cannot show: locks on the app's own tables, connections, rows.
  use ExUnit.Case
  import EctoGround
  alias EctoGround.Repo

  @moduletag :capture_log

  setup do
    clean(VialEcto.Ground)
    write(1, "create_users", "def change, do: create(table(:users))")

    write(2, "add_name", """
    def change do
      alter table(:users) do
        add :name, :string
      end
    end
    """)

    migrate()
    :ok
  end

  test "a reader in an open transaction stalls a down for the limit, and is named" do
    VialEcto.Ground.in_transaction(Repo, "nightly report", "SELECT count(*) FROM users", fn ->
      {took, {:error, error}} = :timer.tc(fn -> Vial.Migrations.down(2, lock_timeout: 500) end)

      assert took in 500_000..3_000_000
      assert error.reason == :revert_failed
      assert error.message =~ "2 add_name did not go down"
      assert error.message =~ ~s("nightly report", idle in transaction)
      assert error.message =~ "SELECT count(*) FROM users"
    end)

    # Nobody queues behind it any more.
    assert applied() == [1, 2]
    assert {:ok, [%{version: 2}]} = Vial.Migrations.down(2, lock_timeout: 500)
  end

  test "the app's own connections keep their own limit" do
    start_supervised!(Repo)
    assert {:ok, _} = Vial.Migrations.down(2, lock_timeout: 500)
    assert {:ok, %{rows: [["0"]]}} = Repo.query("SHOW lock_timeout")
  end

  test "a version that is not where it was asked to be in the end is an error" do
    write(3, "meddles", """
    def up, do: :ok
    def down do
      execute "INSERT INTO schema_migrations VALUES (4, now())"
    end
    """)

    write(4, "add_age", """
    def change do
      alter table(:users) do
        add :age, :integer
      end
    end
    """)

    migrate()
    assert {:error, error} = Vial.Migrations.down([3, 4])
    assert error.message =~ "4 of EctoGround.Repo is not down"
  end

  test "no connection is left behind" do
    assert {:ok, _} = Vial.Migrations.down(2)
    assert VialEcto.Ground.connections(Repo) == 0
  end
end
