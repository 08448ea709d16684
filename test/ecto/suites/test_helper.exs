ExUnit.start()
{:ok, _} = Application.ensure_all_started(:postgrex)

for file <- ~w(ecto_ground ecto_contract migrations_scenarios),
    do: Code.require_file("../../support/#{file}.exs", __DIR__)

Code.require_file("../support/ground.exs", __DIR__)

VialEcto.Ground.setup()
