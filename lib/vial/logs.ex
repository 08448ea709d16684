defmodule Vial.Logs do
  @moduledoc false
  # A slot's log: part of it, or as it grows.

  alias Vial.{API, Error, Feed, Log, Text}

  @doc "The end of a slot's log, or what follows a cursor."
  @spec read(keyword) :: {:ok, Log.t()} | {:error, Error.t()}
  def read(opts),
    do: API.get(opts, "/logs", :log, Keyword.take(opts, [:slot, :lines, :cursor]))

  @doc "Prints it and what comes of it later, for as long as the caller waits."
  @spec follow(keyword) :: {:error, Error.t()}
  def follow(opts) do
    with {:ok, app} <- API.app(opts),
         topic = {:log, app, Keyword.take(opts, [:slot, :lines, :cursor])},
         {:ok, feed} <- Feed.open(topic, Keyword.take(opts, [:socket])) do
      try do
        print_all(feed)
      after
        Feed.close(feed)
      end
    end
  end

  @doc "Prints lines as they may reach a terminal."
  @spec print(Log.t()) :: :ok
  def print(%Log{lines: []}), do: :ok

  def print(%Log{lines: lines}) do
    colour? = IO.ANSI.enabled?()
    lines |> Enum.map(&[Text.line(&1.text, colour?), "\n"]) |> IO.write()
  end

  defp print_all(%Feed{ref: ref} = feed) do
    receive do
      {Feed, ^ref, {:event, event}} ->
        case event do
          {:log, log} -> print(log)
          _other -> :ok
        end

        Feed.more(feed)
        print_all(feed)

      {Feed, ^ref, {:lost, _error}} ->
        IO.puts(:stderr, "vial: connection to the daemon lost. Reconnecting…")
        print_all(feed)

      {Feed, ^ref, :back} ->
        IO.puts(:stderr, "vial: connected again.")
        print_all(feed)

      {Feed, ^ref, {:ended, error}} ->
        {:error, error}
    end
  end
end
