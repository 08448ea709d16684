defmodule EctoGround do
  @moduledoc """
  What the suites on Ecto stand on, on the double and on the real one alike: an application
  `:contract` with two repos and its migrations in a folder of its own.

  A ground module has `setup/0` (before all), `database/1` (the configuration of a repo on a new,
  empty database), `columns/2` (of a table, or `nil`) and `holding_lock/2` (runs a function while
  somebody called "another deploy" holds the migration lock of that repo).
  """

  defmodule Repo do
    use Ecto.Repo, otp_app: :contract, adapter: Ecto.Adapters.Postgres
  end

  defmodule Other do
    use Ecto.Repo, otp_app: :contract, adapter: Ecto.Adapters.Postgres
  end

  @doc "Makes the application known to this node; once."
  def make_application do
    root = Path.join(System.tmp_dir!(), "vial-ecto-#{System.pid()}/contract")
    File.mkdir_p!(Path.join(root, "ebin"))

    File.write!(
      Path.join(root, "ebin/contract.app"),
      ~s({application,contract,[{vsn,"1"},{modules,[]},{registered,[]},{applications,[]}]}.\n)
    )

    Code.append_path(Path.join(root, "ebin"))
    :ok = Application.load(:contract)
    # The same migrations are compiled again and again, as in a node that migrates twice.
    Code.put_compiler_option(:ignore_module_conflict, true)
    ExUnit.after_suite(fn _ -> File.rm_rf!(Path.dirname(root)) end)
  end

  @doc "New databases, no migrations, nothing started."
  def clean(ground) do
    File.rm_rf!(Application.app_dir(:contract, "priv"))
    for repo <- [Repo, Other], do: configure(repo, ground.database(repo))
    Application.put_env(:contract, :ecto_repos, [Repo])
  end

  @doc "Configures a repo."
  def configure(repo, config), do: Application.put_env(:contract, repo, config)

  @doc "Writes a migration, whose body is `up`, `down` or `change`."
  def write(repo \\ Repo, version, name, body) do
    folder = folder(repo)
    File.mkdir_p!(folder)

    File.write!(Path.join(folder, "#{version}_#{name}.exs"), """
    defmodule #{inspect(repo)}.Migrations.#{Macro.camelize(name)} do
      use Ecto.Migration
      #{body}
    end
    """)
  end

  @doc "Takes a migration's file away, as a release that never had it."
  def forget(repo \\ Repo, version) do
    for file <- Path.wildcard("#{folder(repo)}/#{version}_*"), do: File.rm!(file)
  end

  @doc "Applies all that is written."
  def migrate(repo \\ Repo) do
    {:ok, moved, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :up, all: true))
    moved
  end

  @doc "The versions that are applied."
  def applied(repo \\ Repo) do
    {:ok, states, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.migrations/1)
    for {:up, version, _} <- states, do: version
  end

  defp folder(repo) do
    name = repo |> Module.split() |> List.last() |> Macro.underscore()
    Application.app_dir(:contract, "priv/#{name}/migrations")
  end
end
