defmodule Mix.Tasks.Vial.Deploy do
  @shortdoc "Builds a release, sends it, and makes it active"
  @moduledoc """
  Builds a release, sends it, and makes it active.

  The release starts in the idle slot while the active one serves. When it is healthy, Caddy is
  switched to it; the release before it stays ready until the bake ends.

      mix vial.deploy --host deploy@www.example.com
      mix vial.deploy _build/prod/rel/shop        a release that is there already
      mix vial.deploy shop-2.0.0.tar.gz

  Without a path it runs `mix release` with `MIX_ENV=prod` into a folder of its own. What must come
  before, such as `mix assets.deploy`, goes into an alias of the project:

      aliases: ["vial.deploy": ["cmd MIX_ENV=prod mix assets.deploy", "vial.deploy"]]

  A release runs on machines like the one that built it: the same processor and system libraries.

    * `--release NAME`: which of the project's releases is built
    * `--reason TEXT`: why, for the history
    * `--allow-destructive`: go ahead where the release brings a destructive migration. Until the
      switch, the release that serves meets a schema that it does not know. Asked on a terminal.
    * `--detach`: return once the daemon has the release, and let the deployment go on
    * `--yes`, `-y`: do not ask

  #{Vial.Task.common_help()}
  """

  use Mix.Task

  alias Vial.{Change, Error, Look, Task, View}

  @settings [
    lead: "Not deployed: ",
    args: 1,
    switches: [
      release: :string,
      reason: :string,
      allow_destructive: :boolean,
      detach: :boolean,
      yes: :boolean
    ],
    aliases: [y: :yes]
  ]

  @impl true
  def run(argv) do
    settings = [task: __MODULE__] ++ @settings

    # Built before anybody is called, who would have to wait.
    case Task.parse(argv, settings) do
      {_given, [path]} -> send_release(argv, settings, path)
      {given, []} -> build(given, &send_release(argv, settings, &1))
    end
  end

  defp send_release(argv, settings, path) do
    Task.run(argv, settings, fn given, _args ->
      wait = if given[:detach], do: [wait: false], else: []
      opts = Keyword.take(given, [:app, :socket, :reason, :allow_destructive]) ++ wait
      deploy(path, given, opts)
    end)
  end

  defp deploy(path, given, opts) do
    case Change.deploy(path, opts) do
      {:error, %Error{reason: :destructive} = error} ->
        if Task.asks?(given) and not Keyword.get(opts, :allow_destructive, false),
          do: ask(error, path, given, opts),
          else: {:error, error}

      answer ->
        answer
    end
  end

  defp ask(error, path, given, opts) do
    IO.write(View.Problem.render(error, "", Look.console()))

    if Task.agreed?(given, "Deploy it all the same?"),
      do: deploy(path, given, Keyword.put(opts, :allow_destructive, true)),
      else: {:error, error}
  end

  defp build(given, fun) do
    name = "vial-release-" <> Base.encode16(:rand.bytes(8), case: :lower)
    folder = Path.join(System.tmp_dir!(), name)
    File.mkdir!(folder)
    File.chmod!(folder, 0o700)

    try do
      args = ["release"] ++ List.wrap(given[:release]) ++ ["--overwrite", "--path", folder]
      mix = System.find_executable("mix") || "mix"

      case System.cmd(mix, args, env: [{"MIX_ENV", "prod"}], into: IO.stream()) do
        {_said, 0} ->
          fun.(folder)

        {_said, status} ->
          Task.fail(
            %Error{
              reason: :bad_release,
              message: "`mix release` ended with status #{status}; nothing was sent.",
              next: "what it said above"
            },
            "Not deployed: "
          )
      end
    after
      File.rm_rf(folder)
    end
  end
end
