# How long a status takes from inside a BEAM, through the NIF: bin/bench runs this.
#
#   mix run --no-start bench/nif/latency.exs --socket PATH --app NAME [--calls N]
#
# Prints one line of JSON with all the times, in milliseconds.

{opts, []} =
  OptionParser.parse!(System.argv(), strict: [socket: :string, app: :string, calls: :integer])

{:ok, _} = Application.ensure_all_started(:vial)

status = fn ->
  {:ok, %Vial.Status{}} =
    Vial.Client.call(:get, ["v1", "apps", opts[:app]], :status, socket: opts[:socket])
end

for _ <- 1..50, do: status.()

times =
  for _ <- 1..opts[:calls] do
    began = System.monotonic_time(:nanosecond)
    status.()
    (System.monotonic_time(:nanosecond) - began) / 1_000_000
  end

times = Enum.map_join(times, ", ", &:erlang.float_to_binary(&1, decimals: 4))
IO.puts(~s({"ms": [#{times}]}))
