# What a call from inside the app costs: bin/bench-nif runs this.
#
# `--calls N` (a million by default), `--deploy ARCHIVE` deploys a release first, so that the status
# has something to say.

alias Vial.{Client, Native, RealDaemon, Soak}
alias Vial.Client.Request

{opts, []} = OptionParser.parse!(System.argv(), strict: [calls: :integer, deploy: :keep])
calls = opts[:calls] || 1_000_000
processes = 100

daemon = RealDaemon.start()
socket = RealDaemon.socket(daemon)
daemons = :ets.new(:daemons, [:public])
:ets.insert(daemons, {:now, daemon})

status = fn -> Client.call(:get, ["v1", "apps", "shop"], :status, socket: socket) end
say = fn text -> IO.puts(text) end
ms = fn us -> :erlang.float_to_binary(us / 1000, decimals: 3) end

try do
  for archive <- Keyword.get_values(opts, :deploy) do
    path = ["v1", "apps", "shop", "deployments"]

    {:ok, _} =
      Client.call(:post, path, :accepted, socket: socket, body: {:file, archive}, timeout: 60_000)

    settled = fn settled ->
      case status.() do
        {:ok, %{deployment: nil, serving: %{version: version}}} -> version
        {:ok, %{deployment: nil, last: %{error: error}}} -> raise error
        _ -> Process.sleep(100) && settled.(settled)
      end
    end

    say.("serving #{settled.(settled)} (#{Path.basename(archive)})")
  end

  one = fn ->
    {:ok, %Vial.Status{}} = status.()
    :ok
  end

  Soak.times(2_000, one)

  quiet = Soak.times(20_000, one)

  say.(
    "one caller, 20,000 calls: median #{Soak.percentile(quiet, 0.5)} µs, " <>
      "p99 #{Soak.percentile(quiet, 0.99)} µs, longest #{ms.(List.last(quiet))} ms"
  )

  # The part of a call that a scheduler does: the NIF itself. The answer is waited for outside.
  {:ok, request} = Request.new(:get, ["v1", "apps", "shop"], :status, socket: socket)
  native = Request.to_native(request)

  nif =
    for _ <- 1..20_000 do
      ref = make_ref()
      began = System.monotonic_time(:nanosecond)
      _handle = Native.call(ref, native)
      took = System.monotonic_time(:nanosecond) - began
      receive(do: ({:vial, ^ref, {:ok, _}} -> took))
    end
    |> Enum.sort()

  # What the machine itself takes away: a function of the run-time system that is about as long.
  bytes = :binary.copy("x", 8_192)

  usual =
    for _ <- 1..20_000 do
      {:ok, _} = status.()
      began = System.monotonic_time(:nanosecond)
      _ = :erlang.md5(bytes)
      System.monotonic_time(:nanosecond) - began
    end
    |> Enum.sort()

  for {what, times} <- [{"the NIF call inside it", nif}, {"control, erlang:md5/1", usual}] do
    say.(
      "#{what}: median #{ms.(Soak.percentile(times, 0.5))} µs, " <>
        "p99 #{ms.(Soak.percentile(times, 0.99))} µs, longest #{ms.(List.last(times))} µs; " <>
        "over 100 µs: #{Enum.count(times, &(&1 > 100_000))} of 20,000"
    )
  end

  report = fn name, run ->
    words =
      run.words |> Enum.sort() |> Enum.map_join(", ", fn {word, count} -> "#{count} #{word}" end)

    located = Soak.located(run.long, [Native])
    nearby = Soak.located(run.long, [Client])

    say.("""
    #{name}
      #{run.calls} calls of #{processes} processes in #{Float.round(run.seconds, 1)} s: \
    #{round(run.calls / run.seconds)} a second
      answers: #{words}; messages left over: #{run.left}
      resident: #{case {run.resident, Soak.growth(run)} do
      {_, nil} -> "too short a run to tell"
      {samples, growth} -> "#{samples |> List.last() |> elem(1) |> div(1024)} MiB at the end, #{Float.round(growth, 1)} % since a tenth of it"
    end}
      on a scheduler for 1 ms or longer: #{length(run.long)} times, #{length(located)} of them in \
    Vial.Native, #{length(nearby)} in Vial.Client\
    """)

    {name, run, located}
  end

  plain = report.("Calls", Soak.run(calls, processes, one))

  # The same messages from a plain process: what the machine does by itself.
  {:ok, answer} = status.()

  # Its answer is as large as the daemon's, and copied to its caller like that one.
  echo = fn echo ->
    receive do
      {from, ref} -> send(from, {:vial, ref, {:ok, answer}})
    end

    echo.(echo)
  end

  server = spawn_link(fn -> echo.(echo) end)

  control = fn ->
    ref = make_ref()
    send(server, {self(), ref})
    receive(do: ({:vial, ^ref, {:ok, _}} -> :ok))
  end

  report.("Control: the same messages without the NIF", Soak.run(calls, processes, control))

  any = fn ->
    case status.() do
      {:ok, %Vial.Status{}} -> :ok
      {:error, %Vial.Error{reason: reason}} -> reason
    end
  end

  killing = fn done ->
    wait = fn wait -> if done.() < div(calls, 2), do: Process.sleep(5) && wait.(wait) end
    wait.(wait)
    [{:now, daemon}] = :ets.lookup(daemons, :now)
    RealDaemon.kill(daemon)
    :ets.insert(daemons, {:now, RealDaemon.restart(daemon)})
  end

  killed =
    report.(
      "The daemon killed and started again in the middle",
      Soak.run(calls, processes, any, meanwhile: killing)
    )

  failures =
    for {name, run, located} <- [plain, killed],
        {what, true} <- [
          {"an answer is missing", run.words |> Map.values() |> Enum.sum() != run.calls},
          {"an answer came twice", run.left > 0},
          {"memory grew", (Soak.growth(run) || 0) > 5},
          {"a scheduler was kept", located != []}
        ],
        do: "#{name}: #{what}"

  failures =
    if Soak.percentile(quiet, 0.5) > 300,
      do: ["the median is over 300 µs" | failures],
      else: failures

  Enum.each(failures, &say.("FAILED: " <> &1))
  if failures != [], do: System.at_exit(fn _ -> exit({:shutdown, 1}) end)
after
  [{:now, daemon}] = :ets.lookup(daemons, :now)
  RealDaemon.stop(daemon)
end
