without =
  if Vial.RealDaemon.binary() do
    []
  else
    IO.puts("Left out: what needs a daemon. Next: cargo build -p vial, or VIAL_BIN=/path/to/vial")
    [:daemon]
  end

ExUnit.start(exclude: without)
