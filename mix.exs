defmodule Vial.MixProject do
  use Mix.Project

  @version "0.1.0"
  @source "https://github.com/vial-sh/vial"

  def project do
    [
      app: :vial,
      version: @version,
      elixir: "~> 1.14",
      description: "What a release that Vial runs can know of its place.",
      package: package(),
      source_url: @source,
      # No dependency: what an application takes in to be rolled back must not break its build.
      deps: [{:ecto_double, path: "test/ecto_double", only: :test}]
    ]
  end

  def application do
    [extra_applications: []]
  end

  defp package do
    [
      licenses: ["Apache-2.0"],
      links: %{"GitHub" => @source},
      files: ~w(lib mix.exs .formatter.exs README.md CHANGELOG.md LICENSE)
    ]
  end
end
