defmodule Vial.Init do
  @moduledoc false
  # What `mix vial.init` writes.

  # The daemon's own template, so that there is one.
  @template Path.expand("../../sidecar/packaging/app.toml.example", __DIR__)
  @external_resource @template
  @app_toml File.read!(@template)

  @type settings :: %{
          app: String.t(),
          module: String.t(),
          release: String.t(),
          hosts: [String.t()],
          ports: {pos_integer, pos_integer},
          user: String.t(),
          repos: [module],
          ecto: boolean
        }

  @doc "The application's file for the host, with every key explained."
  @spec app_toml(settings) :: String.t()
  def app_toml(settings) do
    {blue, green} = settings.ports

    values = %{
      "@NAME@" => literal(settings.app),
      "@RELEASE@" => literal(settings.release),
      "@USER@" => "user = " <> literal(settings.user),
      "@BLUE@" => Integer.to_string(blue),
      "@GREEN@" => Integer.to_string(green),
      "@HOSTS@" => hosts(settings.hosts),
      "@ENV_FILE@" => literal("/etc/vial/env/" <> settings.app),
      "@NODE@" => settings.app
    }

    # In one pass: a value is never looked into.
    @app_toml
    |> String.replace(Map.keys(values), &Map.fetch!(values, &1))
    |> migrations(settings)
  end

  @doc "A module whose `migrate/0` a release runs before it starts, as Ecto's guide has it."
  @spec release_ex(settings) :: String.t()
  def release_ex(%{app: app, module: module}) do
    """
    defmodule #{module}.Release do
      @moduledoc \"\"\"
      What is run in a release where Mix is not there.
      \"\"\"

      @app :#{app}

      @doc "Applies all migrations. Vial evaluates it in the new release before that starts."
      def migrate do
        load_app()

        for repo <- repos() do
          {:ok, _, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :up, all: true))
        end
      end

      @doc "Reverts a repository's migrations, newest first; `version` is the last that is reverted."
      def rollback(repo, version) do
        load_app()
        {:ok, _, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :down, to: version))
      end

      defp repos, do: Application.fetch_env!(@app, :ecto_repos)

      defp load_app, do: Application.load(@app)
    end
    """
  end

  defp migrations(toml, %{ecto: false}), do: toml

  defp migrations(toml, settings) do
    repos = Enum.map_join(settings.repos, ", ", &literal(inspect(&1)))
    migrate = "migrate = " <> literal("#{settings.module}.Release.migrate()")

    toml
    |> String.replace(~r/^# migrate = .*$/m, escape(migrate))
    |> String.replace(~r/^# repos = .*$/m, escape("repos = [#{repos}]"))
    # What followed was an example only while it was one.
    |> String.replace("before it starts. An example:", "before it starts.")
    |> String.replace("a rollback looks at. An example:", "a rollback looks at.")
  end

  defp hosts([]), do: ~s(# hosts = ["shop.example.com"])
  defp hosts(hosts), do: "hosts = [#{Enum.map_join(hosts, ", ", &literal/1)}]"

  # A text as TOML writes it, on one line.
  defp literal(text), do: ~s(") <> String.replace(text, ["\\", "\""], &("\\" <> &1)) <> ~s(")

  defp escape(text), do: String.replace(text, "\\", "\\\\")
end
