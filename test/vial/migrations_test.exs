defmodule Vial.MigrationsTest do
  use MigrationsScenarios, ground: DoubleGround
  doctest Vial.Migrations

  test "without Ecto it says so, and costs nothing else" do
    script = """
    {:error, error} = Vial.Migrations.list()
    IO.puts([to_string(error.reason), " ", error.message])
    """

    ebin = Path.join(Mix.Project.build_path(), "lib/vial/ebin")
    {output, 0} = System.cmd("elixir", ["-pa", ebin, "-e", script], stderr_to_stdout: true)

    assert output ==
             "configuration There is no Ecto.Migrator in this release: it has no ecto_sql.\n"
  end
end
