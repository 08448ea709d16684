# With VIAL_PHOENIX_DEPS=/a/folder the dependencies are the folders in it, named as the packages are,
# where hex cannot be had: for Mix each of them is then what it is by `path:`, and Hex is not asked.
defmodule PhoenixFolders do
  @behaviour Mix.SCM

  def root, do: System.get_env("VIAL_PHOENIX_DEPS")

  @impl true
  def accepts_options(app, options) do
    unless options[:path] || options[:git] do
      path = Path.join(root(), Atom.to_string(app))
      Mix.SCM.Path.accepts_options(app, Keyword.put(options, :path, path))
    end
  end

  @impl true
  defdelegate fetchable?, to: Mix.SCM.Path
  @impl true
  defdelegate format(options), to: Mix.SCM.Path
  @impl true
  defdelegate format_lock(options), to: Mix.SCM.Path
  @impl true
  defdelegate checked_out?(options), to: Mix.SCM.Path
  @impl true
  defdelegate lock_status(options), to: Mix.SCM.Path
  @impl true
  defdelegate equal?(one, other), to: Mix.SCM.Path
  @impl true
  defdelegate managers(options), to: Mix.SCM.Path
  @impl true
  defdelegate checkout(options), to: Mix.SCM.Path
  @impl true
  defdelegate update(options), to: Mix.SCM.Path
end

if PhoenixFolders.root(), do: Mix.SCM.prepend(PhoenixFolders)

defmodule VialPhoenix.MixProject do
  use Mix.Project

  def project do
    [
      app: :vial_phoenix,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: [],
      # Outside of what the project above formats: Phoenix brings templates that are no Elixir.
      build_path: "../../_build/phoenix",
      deps_path: "../../_build/phoenix/deps",
      # Not test/**/*_test.exs: those of the project above would be these too.
      test_paths: ["suites"],
      test_pattern: "*_suite.exs",
      deps: deps()
    ]
  end

  def application, do: [extra_applications: [:logger]]

  defp deps do
    [
      {:vial, path: "../.."},
      {:phoenix, "~> 1.7.3 or ~> 1.8"},
      {:bandit, "~> 1.5"},
      {:jason, "~> 1.0"}
    ] ++ if(PhoenixFolders.root(), do: [telemetry()], else: [])
  end

  # It is built by rebar3, which may be missing too.
  defp telemetry do
    compile =
      "mkdir -p ebin && erlc -o ebin src/*.erl && " <>
        "sed 's/{vsn, *git}/{vsn,\"1.0.0\"}/' src/telemetry.app.src > ebin/telemetry.app"

    {:telemetry, ">= 0.0.0", manager: :make, compile: compile, override: true}
  end
end
