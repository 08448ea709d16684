defmodule VialEcto.MigrationsSuite do
  use MigrationsScenarios, ground: VialEcto.Ground
end
