defmodule Shop.MixProject do
  use Mix.Project

  # Which of the shops this build is. It decides the version, the fault (Shop.Fault), the
  # dependencies and the migrations.
  @variant String.to_integer(System.get_env("SHOP_VERSION", "1"))

  # The folders of migrations that it brings.
  @folders (case @variant do
              1 -> [1]
              own when own in [8, 9, 10, 13] -> [1, 2, own]
              15 -> [1, 2, 8]
              _ -> [1, 2]
            end)

  # What is inside, by the versions that have it.
  @dependencies [
    {{:ecto_double, path: "../../test/ecto_double"}, 8..16},
    {{:vial, path: "../.."}, 14..16}
  ]

  def project do
    [
      app: :shop,
      version: "#{@variant}.0.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      elixirc_paths: if(@variant >= 8, do: ["lib", "database"], else: ["lib"]),
      deps: deps(),
      releases: [
        shop: [
          include_executables_for: [:unix],
          steps: [:assemble, &copy_migrations/1, :tar]
        ]
      ]
    ]
  end

  def application do
    [
      mod: {Shop.Application, []},
      extra_applications: [:logger, :crypto]
    ]
  end

  defp deps do
    for {dependency, variants} <- @dependencies, @variant in variants, do: dependency
  end

  defp copy_migrations(release) do
    target = Path.join([release.path, "lib", "shop-#{release.version}", "priv/repo/migrations"])
    File.mkdir_p!(target)

    for folder <- @folders do
      File.cp_r!("migrations/#{folder}", target)
    end

    release
  end
end
