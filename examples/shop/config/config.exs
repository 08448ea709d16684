import Config

# Kept as compile-time configuration, so that Mix recompiles what reads it, and only that, when
# SHOP_VERSION changes.
config :shop, variant: String.to_integer(System.get_env("SHOP_VERSION", "1"))

# Tests take a free port, whatever PORT says.
if config_env() == :test, do: config(:shop, port: 0)
