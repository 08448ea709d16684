defmodule Shop.MixProject do
  use Mix.Project

  # Which of the seven shops this build is. It decides the version and the fault (see Shop.Fault).
  @variant String.to_integer(System.get_env("SHOP_VERSION", "1"))

  def project do
    [
      app: :shop,
      version: "#{@variant}.0.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      deps: [],
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

  # Each version brings the migrations of its own folder and of all the versions before it.
  defp copy_migrations(release) do
    target = Path.join([release.path, "lib", "shop-#{release.version}", "priv/repo/migrations"])
    File.mkdir_p!(target)

    for folder <- File.ls!("migrations"), String.to_integer(folder) <= @variant do
      File.cp_r!(Path.join("migrations", folder), target)
    end

    release
  end
end
