defmodule Ecto.Repo do
  @moduledoc """
  As much of a repo as a migration needs: configuration, instances, text queries, transactions.
  """

  alias EctoDouble.{Database, SQL}

  defmacro __using__(options) do
    quote bind_quoted: [options: options] do
      @otp_app Keyword.fetch!(options, :otp_app)
      @adapter Keyword.fetch!(options, :adapter)

      def __adapter__, do: @adapter
      def config, do: Ecto.Repo.configuration(__MODULE__, :runtime, @otp_app, [])
      def start_link(options \\ []), do: Ecto.Repo.start(__MODULE__, @otp_app, options)
      def stop(timeout \\ 5000), do: Supervisor.stop(get_dynamic_repo(), :normal, timeout)
      def get_dynamic_repo, do: Process.get({__MODULE__, :dynamic_repo}, __MODULE__)
      def put_dynamic_repo(repo), do: Process.put({__MODULE__, :dynamic_repo}, repo) || __MODULE__
      def query(sql, params \\ [], options \\ []), do: Ecto.Repo.query(__MODULE__, sql, params)
      def query!(sql, params \\ [], options \\ []), do: Ecto.Repo.query!(__MODULE__, sql, params)
      def transaction(fun, options \\ []), do: Ecto.Repo.transaction(__MODULE__, fun)

      def child_spec(options) do
        %{id: __MODULE__, start: {__MODULE__, :start_link, [options]}, type: :supervisor}
      end
    end
  end

  # A file is opened for each statement: between two of them there are no connections to speak of.
  def all_running, do: []

  def configuration(repo, type, otp_app, options) do
    given = Application.get_env(otp_app, repo, [])
    config = [otp_app: otp_app, pool_size: 10] |> Keyword.merge(given) |> Keyword.merge(options)

    if function_exported?(repo, :init, 2) do
      {:ok, config} = repo.init(type, config)
      config
    else
      config
    end
  end

  def start(repo, otp_app, options) do
    config = configuration(repo, :supervisor, otp_app, options)

    case Keyword.get(options, :name, repo) do
      nil -> Agent.start_link(fn -> config end)
      name -> Agent.start_link(fn -> config end, name: name)
    end
  end

  @doc "The configuration of the instance that this process uses: path, lock_timeout, name."
  def meta(repo), do: meta_of(repo.get_dynamic_repo())

  def meta_of(instance) do
    pid = if is_pid(instance), do: instance, else: Process.whereis(instance)

    unless pid && Process.alive?(pid) do
      raise "could not lookup Ecto repo #{inspect(instance)} because it was not started or it does not exist"
    end

    config = Agent.get(pid, & &1)
    parameters = Keyword.get(config, :parameters, [])

    limit =
      case parameters[:lock_timeout] do
        none when none in [nil, "0"] -> :infinity
        text -> String.to_integer(text)
      end

    %{
      path: Keyword.fetch!(config, :database),
      pool_size: config[:pool_size],
      lock_timeout: limit,
      who: Keyword.get(parameters, :application_name, "")
    }
  end

  def query!(repo, sql, params) do
    {columns, rows} = SQL.run(sql, params, meta(repo).path)
    %{columns: columns, rows: rows, num_rows: length(rows)}
  end

  def query(repo, sql, params) do
    {:ok, query!(repo, sql, params)}
  rescue
    error in [Postgrex.Error, DBConnection.ConnectionError] -> {:error, error}
  end

  def transaction(repo, fun) do
    meta = meta(repo)
    {:ok, Database.transaction(meta.path, meta.lock_timeout, meta.who, fun)}
  end
end
