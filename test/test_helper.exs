ExUnit.start()

# What is run against Ecto's double here, and against the real one by `bin/test --ecto`.
for file <- ~w(ecto_ground ecto_contract migrations_scenarios double_ground),
    do: Code.require_file("support/#{file}.exs", __DIR__)

DoubleGround.setup()
