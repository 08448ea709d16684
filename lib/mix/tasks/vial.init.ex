defmodule Mix.Tasks.Vial.Init do
  @shortdoc "Writes what Vial needs to run this project"
  @moduledoc """
  Writes what Vial needs to run this project, and says what comes next.

      mix vial.init --domain shop.example.com
      mix vial.init --domain shop.example.com --ports 4000,4001 --user shop

    * `rel/vial/NAME.toml`: the application's file for the host, with every key explained. It goes to
      /etc/vial/apps there.
    * `lib/NAME/release.ex`, where the project has Ecto and no such module: `migrate/0`, which Vial
      evaluates in a new release before it starts.

  What is there already stays as it is. No host is called.

    * `--domain NAME`: a host name that the application answers to; may be repeated. A worker without
      any.
    * `--ports BLUE,GREEN`: the ports of its slots; 4000,4001 unless it is said
    * `--user NAME`: the user that it runs as on the host; the application's name unless it is said
    * `--app NAME`: its name in Vial's configuration; the project's unless it is said
    * `--release NAME`: the release's name, where it is another one
  """

  use Mix.Task

  alias Vial.{Init, Task}

  @settings [
    common: [],
    switches: [
      app: :string,
      release: :string,
      domain: :keep,
      ports: :string,
      user: :string
    ]
  ]

  @impl true
  def run(argv) do
    settings = [task: __MODULE__] ++ @settings
    {opts, []} = Task.parse(argv, settings)

    case settings(opts) do
      {:usage, message} -> Task.usage(message, settings)
      project -> write(project)
    end
  end

  defp settings(opts) do
    otp_app = Mix.Project.config()[:app]
    app = opts[:app] || (otp_app && to_string(otp_app))

    with {:app, app} when is_binary(app) <- {:app, app},
         {:name, true} <- {:name, app =~ ~r/\A[a-z][a-z0-9_]{0,31}\z/},
         {:ports, {_, _} = ports} <- {:ports, ports(Keyword.get(opts, :ports, "4000,4001"))} do
      %{
        app: app,
        otp_app: to_string(otp_app || app),
        module: Macro.camelize(to_string(otp_app || app)),
        release: opts[:release] || release(otp_app) || app,
        hosts: Keyword.get_values(opts, :domain),
        ports: ports,
        user: opts[:user] || app,
        repos: Application.get_env(otp_app || :vial, :ecto_repos, []),
        ecto: Keyword.has_key?(deps(), :ecto_sql)
      }
    else
      {:app, nil} ->
        {:usage, "Run it in the project that is released, or name the application with --app."}

      {:name, false} ->
        {:usage,
         "An application's name is a small letter, then at most 31 small letters, digits and _, " <>
           "not #{inspect(app)}: name it with --app."}

      {:ports, nil} ->
        {:usage, "--ports takes two different ports, blue first: 4000,4001."}
    end
  end

  defp write(project) do
    toml = Path.join(["rel", "vial", project.app <> ".toml"])
    written(toml, Init.app_toml(project))
    if project.ecto, do: write_release(project)
    IO.puts(["\nNext, in this order:\n" | steps(project, toml)])
  end

  defp write_release(project) do
    path = Path.join(["lib", project.otp_app, "release.ex"])
    name = "defmodule #{project.module}.Release "

    case Enum.find(Path.wildcard("lib/**/*.ex"), &(File.read!(&1) =~ name)) do
      nil -> written(path, Init.release_ex(%{project | app: project.otp_app}))
      there -> kept(there)
    end
  end

  defp written(path, text) do
    File.mkdir_p!(Path.dirname(path))

    case File.write(path, text, [:exclusive]) do
      :ok -> IO.puts("Wrote #{path}.")
      {:error, :eexist} -> kept(path)
      {:error, reason} -> Mix.raise("#{path} cannot be written: #{:file.format_error(reason)}")
    end
  end

  defp kept(path), do: IO.puts("#{path} was there already and stays as it is.")

  defp steps(project, toml) do
    %{app: app, user: user} = project
    domain = List.first(project.hosts)

    caddy =
      if domain do
        [
          {"Put this into the Caddyfile, then `systemctl reload caddy`:",
           ["#{domain} {", "    import /var/lib/vial/route/#{app}/Caddyfile", "}"]}
        ]
      else
        []
      end

    [
      {"Let the release listen on the port that PORT names, as a Phoenix project's\n   " <>
         "config/runtime.exs does, with `server: true`; and answer /health with 200 when it can " <>
         "serve.", []},
      {"Make the user that it runs as, on the host:",
       ["sudo useradd --system --create-home --shell /usr/sbin/nologin #{user}"]},
      {"Look through #{toml}, and bring it there:",
       ["scp #{toml} HOST:/etc/vial/apps/#{app}.toml", "ssh HOST sudo vial reload"]}
    ]
    |> Kernel.++(caddy)
    |> Kernel.++([
      {"See whether all is well:", ["ssh HOST sudo vial doctor"]},
      {"Bring the first release:", ["mix vial.deploy --app #{app} --host USER@HOST"]}
    ])
    |> Enum.with_index(1)
    |> Enum.map(fn {{say, lines}, at} ->
      ["\n#{at}. #{say}\n" | Enum.map(lines, &"     #{&1}\n")]
    end)
  end

  defp ports(text) do
    with [blue, green] <- String.split(text, ","),
         {blue, ""} when blue in 1..65_535 <- Integer.parse(String.trim(blue)),
         {green, ""} when green in 1..65_535 and green != blue <-
           Integer.parse(String.trim(green)) do
      {blue, green}
    else
      _other -> nil
    end
  end

  defp release(otp_app) do
    config = Mix.Project.config()
    name = config[:default_release] || first(config[:releases]) || otp_app
    name && to_string(name)
  end

  defp first([{name, _options} | _]), do: name
  defp first(_none), do: nil

  defp deps do
    for dep <- Mix.Project.config()[:deps] || [], do: {elem(dep, 0), true}
  end
end
