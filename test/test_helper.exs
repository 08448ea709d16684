without =
  if Vial.RealDaemon.binary() do
    []
  else
    IO.puts("Left out: what needs a daemon. Next: cargo build -p vial, or VIAL_BIN=/path/to/vial")
    [:daemon]
  end

# What is waited for comes, however busy the machine is; what must not come is waited for as briefly as
# usual.
ExUnit.start(exclude: without, assert_receive_timeout: 10_000)

# What is run against Ecto's double here, and against the real one by `bin/test --ecto`.
for file <- ~w(ecto_ground ecto_contract migrations_scenarios double_ground),
    do: Code.require_file("support/#{file}.exs", __DIR__)

DoubleGround.setup()
