defmodule Vial.Soak do
  @moduledoc false
  # Many calls from many processes, and what they cost the node. Shared by a short test and by
  # `bin/bench-nif`.

  @doc """
  Runs `call` so many times in `processes` processes. Meanwhile resident memory is looked at and
  long stays on a scheduler are collected. `call` returns a word, and words are counted.
  """
  def run(calls, processes, call, opts \\ []) do
    each = div(calls, processes)
    done = :counters.new(1, [:write_concurrency])
    watcher = watch(opts[:long] || 1)
    sampler = sample(done, opts[:every] || 500)
    began = System.monotonic_time(:microsecond)

    workers =
      for _ <- 1..processes do
        Task.async(fn ->
          words =
            Enum.reduce(1..each, %{}, fn _, words ->
              word = call.()
              :counters.add(done, 1, 1)
              Map.update(words, word, 1, &(&1 + 1))
            end)

          # An answer that came twice, or after its caller had given up, is left behind.
          Process.sleep(opts[:settle] || 50)
          {:message_queue_len, left} = Process.info(self(), :message_queue_len)
          {words, left}
        end)
      end

    if meanwhile = opts[:meanwhile], do: meanwhile.(fn -> :counters.get(done, 1) end)
    results = Task.await_many(workers, :infinity)
    took = System.monotonic_time(:microsecond) - began
    samples = stop(sampler)

    %{
      calls: each * processes,
      seconds: took / 1_000_000,
      words:
        Enum.reduce(results, %{}, fn {words, _}, all ->
          Map.merge(all, words, fn _, a, b -> a + b end)
        end),
      left: results |> Enum.map(&elem(&1, 1)) |> Enum.sum(),
      resident: samples,
      long: stop(watcher)
    }
  end

  @doc "By how much resident memory grew, in percent, once a tenth of the calls were made."
  def growth(%{resident: samples, calls: calls}) do
    warm = for {done, kib} <- samples, done >= calls / 10, do: kib

    case length(warm) do
      few when few < 4 ->
        nil

      length ->
        quarter = div(length, 4)
        mean = fn list -> Enum.sum(list) / length(list) end
        before = warm |> Enum.take(quarter) |> mean.()
        afterwards = warm |> Enum.take(-quarter) |> mean.()
        (afterwards - before) / before * 100
    end
  end

  @doc "The long stays whose process came to, or left, the scheduler in one of these modules."
  def located(long, modules) do
    Enum.filter(long, fn {_ms, where} ->
      Enum.any?(where, fn {module, _, _} -> module in modules end)
    end)
  end

  @doc "Times of one caller, in µs, sorted."
  def times(count, call) do
    for(_ <- 1..count, do: :timer.tc(call) |> elem(0)) |> Enum.sort()
  end

  def percentile(sorted, share),
    do: Enum.at(sorted, min(trunc(length(sorted) * share), length(sorted) - 1))

  def resident do
    [_, kib] = Regex.run(~r/VmRSS:\s+(\d+)/, File.read!("/proc/self/status"))
    String.to_integer(kib)
  end

  defp sample(done, every), do: collector(fn known -> sample(done, every, known) end)

  defp sample(done, every, known) do
    receive do
      {:stop, from} -> send(from, {self(), Enum.reverse(known)})
    after
      every -> sample(done, every, [{:counters.get(done, 1), resident()} | known])
    end
  end

  defp watch(ms) do
    collector(fn known ->
      :erlang.system_monitor(self(), [{:long_schedule, ms}])
      watching(known)
    end)
  end

  defp watching(known) do
    receive do
      {:monitor, _pid, :long_schedule, info} ->
        where = for key <- [:in, :out], {_, _, _} = mfa <- [info[key]], do: mfa
        watching([{info[:timeout], where} | known])

      {:stop, from} ->
        :erlang.system_monitor(:undefined)
        send(from, {self(), known})
    end
  end

  defp collector(fun), do: spawn_link(fn -> fun.([]) end)

  defp stop(collector) do
    send(collector, {:stop, self()})
    receive(do: ({^collector, collected} -> collected))
  end
end
