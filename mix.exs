defmodule Vial.MixProject do
  use Mix.Project

  @version "0.1.0"
  @source "https://github.com/vial-sh/vial"

  def project do
    [
      app: :vial,
      version: @version,
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      # Last, because the compiler of the NIF is a module of this library.
      compilers: Mix.compilers() ++ [:vial_nif],
      description: "What a release that Vial runs can know of its place.",
      package: package(),
      source_url: @source,
      # No dependency: what an application takes in to be rolled back must not break its build.
      deps: [{:ecto_double, path: "test/ecto_double", only: :test}]
    ]
  end

  def application do
    [mod: {Vial.Application, []}, extra_applications: [:logger]]
  end

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_), do: ["lib"]

  defp package do
    [
      licenses: ["Apache-2.0"],
      links: %{"GitHub" => @source},
      # Cargo wants its workspace whole, though it builds two crates of it.
      files:
        ~w(lib native sidecar bench/load bench/demo bench/suite Cargo.toml Cargo.lock) ++
          ~w(mix.exs .formatter.exs README.md CHANGELOG.md LICENSE)
    ]
  end
end
