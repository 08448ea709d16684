defmodule Vial.Watch do
  @moduledoc false
  # Following a deployment to its end, across restarts of the daemon.

  alias Vial.{API, Deployment, Error, Feed}

  # How long a daemon may be away before the watcher gives up.
  @away 300_000
  @look_again 1_000
  # A restart of the daemon takes well under a second; it is asked this often for it.
  @restart 200
  @restarts 50

  @type told :: {:deployment, Deployment.t()} | {:lost, Error.t()} | :back

  @doc """
  Follows deployment `number` until it has ended, or with `until: :live` until its release has the
  traffic. `tell` hears of each change, and of what it returned the time before.
  """
  @spec run(String.t(), pos_integer, keyword, term, (told, term -> term)) ::
          {:ok, Deployment.t()} | {:error, Error.t()}
  def run(app, number, opts, acc \\ nil, tell \\ fn _told, acc -> acc end) do
    opts = Keyword.put(opts, :app, app)

    with {:ok, feed} <- open(app, Keyword.take(opts, [:app, :socket])) do
      watch = %{
        app: app,
        number: number,
        opts: Keyword.delete(opts, :timeout),
        until: Keyword.get(opts, :until, :ended),
        limit: limit(opts[:timeout]),
        away: :infinity,
        lost: nil,
        again: :infinity,
        acc: acc,
        tell: tell,
        feed: feed
      }

      try do
        loop(watch)
      after
        Feed.close(feed)
      end
    end
  end

  # A daemon that is not there is said at once. One that went away as it answered is being restarted,
  # most likely, and is given the time for that.
  defp open(app, opts, again \\ 0) do
    case Feed.open({:status, app}, opts) do
      {:error, %Error{reason: reason}} = error
      when reason == :disconnected or (reason == :unreachable and again in 1..@restarts) ->
        if again < @restarts do
          Process.sleep(@restart)
          open(app, opts, again + 1)
        else
          error
        end

      answer ->
        answer
    end
  end

  defp loop(%{feed: %{ref: ref}} = watch) do
    receive do
      {Feed, ^ref, {:event, event}} ->
        Feed.more(watch.feed)

        case event do
          {:app, %{name: name} = status} when name == watch.app -> look(status, watch)
          {:app_removed, name} when name == watch.app -> look(nil, watch)
          _other -> loop(watch)
        end

      {Feed, ^ref, {:lost, error}} ->
        watch = tell(watch, {:lost, error})
        loop(%{watch | lost: error, away: limit(@away)})

      {Feed, ^ref, :back} ->
        watch = tell(watch, :back)
        loop(%{watch | lost: nil, away: :infinity})

      {Feed, ^ref, {:ended, error}} ->
        {:error, error}
    after
      wait([watch.limit, watch.away, watch.again]) -> expired(watch)
    end
  end

  defp expired(watch) do
    cond do
      over?(watch.limit) -> {:error, timeout(watch)}
      over?(watch.away) -> {:error, watch.lost}
      over?(watch.again) -> look(nil, %{watch | again: :infinity})
      true -> loop(watch)
    end
  end

  defp look(status, watch) do
    case find(status, watch) do
      {:ok, deployment} ->
        watch = tell(watch, {:deployment, deployment})

        cond do
          # How a deployment went that is being taken back, the rollback decides: its end is an
          # event too.
          not Deployment.in_progress?(deployment) and not taken_back?(status, watch.number) ->
            {:ok, deployment}

          Deployment.live?(deployment) and watch.until == :live ->
            {:ok, deployment}

          true ->
            loop(%{watch | again: :infinity})
        end

      {:error, error} ->
        if Feed.passing?(error),
          do: loop(%{watch | again: limit(@look_again)}),
          else: {:error, error}
    end
  end

  defp tell(watch, told), do: %{watch | acc: watch.tell.(told, watch.acc)}

  # The deployment with its steps: from the status where it has them, else asked for.
  defp find(status, watch) do
    known =
      if status do
        [status.deployment, status.queued]
        |> Enum.filter(& &1)
        |> Enum.find(&(&1.number == watch.number and &1.steps != []))
      end

    if known,
      do: {:ok, known},
      else: API.get(watch.opts, "/deployments/#{watch.number}", :deployment)
  end

  defp taken_back?(%{deployment: %{kind: :rollback, replaces: number}}, number), do: true
  defp taken_back?(_status, _number), do: false

  defp timeout(watch) do
    %Error{
      reason: :timeout,
      message: "Deployment ##{watch.number} of #{watch.app} goes on; it has not ended in time.",
      next: "`vial show #{watch.app} #{watch.number}`"
    }
  end

  defp limit(nil), do: :infinity
  defp limit(:infinity), do: :infinity
  defp limit(timeout), do: now() + timeout

  defp over?(:infinity), do: false
  defp over?(limit), do: now() >= limit

  # An atom is more than any number.
  defp wait(limits) do
    case Enum.min(limits) do
      :infinity -> :infinity
      limit -> max(limit - now(), 0)
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end
