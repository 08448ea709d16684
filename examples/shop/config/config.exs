import Config

# Kept as compile-time configuration, so that Mix recompiles what reads it, and only that, when
# SHOP_VERSION changes.
variant = String.to_integer(System.get_env("SHOP_VERSION", "1"))
config :shop, variant: variant, database: variant >= 8

if variant >= 8, do: config(:shop, ecto_repos: [Shop.Repo])

# Tests take a free port, whatever PORT says.
if config_env() == :test do
  config :shop, port: 0

  if variant >= 8 do
    config :shop, Shop.Repo, database: Path.join(System.tmp_dir!(), "shop-#{System.pid()}.db")
  end
end
