defmodule Ecto.Migrator do
  @moduledoc """
  The functions of the real one that are called, with its answers: what was moved comes in the order
  in which it was moved; a release without the files gets `[]`; a version is an integer.
  """

  require Logger
  alias EctoDouble.{Database, Lock}

  def with_repo(repo, fun, options \\ []) do
    {:ok, started} = Application.ensure_all_started(:ecto_double)

    case repo.start_link(pool_size: Keyword.get(options, :pool_size, 2)) do
      {:ok, _} ->
        try do
          {:ok, fun.(repo), started}
        after
          repo.stop()
        end

      {:error, {:already_started, _}} ->
        {:ok, fun.(repo), started}

      {:error, _} = error ->
        error
    end
  end

  def migrations_path(repo, directory \\ "migrations") do
    config = repo.config()
    last = repo |> Module.split() |> List.last() |> Macro.underscore()
    folder = Path.join(config[:priv] || "priv/#{last}", directory)
    Application.app_dir(Keyword.fetch!(config, :otp_app), folder)
  end

  def migrations(repo), do: migrations(repo, [migrations_path(repo)])

  def migrations(repo, directories, options \\ []) do
    applied = migrated_versions(repo, options)
    here = found(List.wrap(directories))
    versions = for {version, _, _} <- here, do: version

    known = for {version, name, _} <- here, do: {state(version, applied), version, name}
    lost = for version <- applied -- versions, do: {:up, version, "** FILE NOT FOUND **"}
    Enum.sort_by(known ++ lost, &elem(&1, 1))
  end

  def migrated_versions(repo, options \\ []), do: locked(true, repo, options, & &1)

  def run(repo, direction, options), do: run(repo, [migrations_path(repo)], direction, options)

  def run(repo, source, direction, options) do
    pending = locked(true, repo, options, &pending(&1, List.wrap(source), direction, options))

    for {version, _, place} = one <- pending, place = {version, load!(one, place)} do
      place
    end
    |> Enum.filter(fn {version, module} ->
      move(direction, repo, version, module, options) == :ok
    end)
    |> Enum.map(&elem(&1, 0))
  end

  def up(repo, version, module, options \\ []), do: move(:up, repo, version, module, options)
  def down(repo, version, module, options \\ []), do: move(:down, repo, version, module, options)

  defp move(direction, repo, version, module, options) do
    lock = not module.__migration__()[:disable_migration_lock]

    locked(lock, repo, options, fn applied ->
      if state(version, applied) == direction do
        if direction == :up, do: :already_up, else: :already_down
      else
        perform(direction, repo, version, module)
      end
    end)
  end

  # In a process of its own, as the real one does: it has another connection.
  defp perform(direction, repo, version, module) do
    instance = repo.get_dynamic_repo()

    task =
      Task.async(fn ->
        repo.put_dynamic_repo(instance)

        try do
          if module.__migration__()[:disable_ddl_transaction] do
            change(direction, repo, version, module)
          else
            {:ok, result} = repo.transaction(fn -> change(direction, repo, version, module) end)
            result
          end
        catch
          kind, reason -> {kind, reason, __STACKTRACE__}
        end
      end)

    case Task.await(task, :infinity) do
      {kind, reason, stack} -> :erlang.raise(kind, reason, stack)
      :ok -> :ok
    end
  end

  defp change(direction, repo, version, module) do
    Logger.info("== Running #{version} #{inspect(module)} #{direction}")
    Code.ensure_loaded!(module)

    cond do
      function_exported?(module, direction, 0) ->
        Ecto.Migration.run(repo, module, :forward, direction, direction)

      function_exported?(module, :change, 0) ->
        turned = if direction == :up, do: :forward, else: :backward
        Ecto.Migration.run(repo, module, turned, :change, direction)

      true ->
        raise Ecto.MigrationError,
              "#{inspect(module)} does not implement a `#{direction}/0` or `change/0` function"
    end

    meta = Ecto.Repo.meta(repo)

    Database.update(meta.path, meta.lock_timeout, meta.who, fn state ->
      case direction do
        :up ->
          %{state | applied: [version | state.applied]}

        :down ->
          %{state | applied: state.applied -- [version], reverted: [version | state.reverted]}
      end
    end)

    :ok
  end

  defp locked(lock?, repo, options, fun) do
    instance = Keyword.get(options, :dynamic_repo, repo.get_dynamic_repo())
    previous = repo.put_dynamic_repo(instance)

    try do
      meta = Ecto.Repo.meta_of(instance)
      make_table(meta)

      if lock? and Keyword.get(options, :migration_lock, true) do
        under_lock(meta, fn -> fun.(Database.read(meta.path).applied) end)
      else
        fun.(Database.read(meta.path).applied)
      end
    after
      repo.put_dynamic_repo(previous)
    end
  end

  defp make_table(meta) do
    unless Database.read(meta.path).applied do
      Database.update(meta.path, meta.lock_timeout, meta.who, fn state ->
        %{state | applied: state.applied || []}
      end)
    end
  end

  defp under_lock(%{pool_size: 1}, _fun) do
    raise Ecto.MigrationError,
          "Migrations failed to run because the connection pool size is less than 2"
  end

  defp under_lock(meta, fun) do
    # The real one asserts that its LOCK TABLE succeeds, and so fails with a MatchError.
    result =
      case Lock.acquire(meta.path, :migrations, meta.lock_timeout, meta.who) do
        {:ok, lock} -> {:ok, lock}
        {:error, :timeout} -> {:error, Postgrex.Error.new(:lock_not_available)}
      end

    {:ok, lock} = result

    try do
      fun.()
    after
      Lock.release(lock)
    end
  end

  defp pending(applied, source, direction, options) do
    all =
      for {version, _, _} = one <- found(source), state(version, applied) != direction, do: one

    all = if direction == :down, do: Enum.reverse(all), else: all

    cond do
      options[:all] -> all
      to = options[:to] -> until(all, direction, to)
      to = options[:to_exclusive] -> until(all, direction, to) -- [List.keyfind(all, to, 0)]
      step = options[:step] -> Enum.take(all, step)
      true -> raise ArgumentError, "expected one of :all, :to, :to_exclusive, or :step strategies"
    end
  end

  defp until(all, :up, to) when is_integer(to), do: Enum.take_while(all, &(elem(&1, 0) <= to))
  defp until(all, :down, to) when is_integer(to), do: Enum.take_while(all, &(elem(&1, 0) >= to))

  defp state(version, applied), do: if(version in applied, do: :up, else: :down)

  defp found(source) do
    source
    |> Enum.flat_map(fn
      {version, module} ->
        [{version, module, module}]

      folder ->
        for file <- Path.wildcard(Path.join([folder, "**", "*.exs"])),
            {version, "_" <> name} <- [Integer.parse(Path.basename(file, ".exs"))],
            do: {version, name, file}
    end)
    |> Enum.sort()
  end

  defp load!(_one, module) when is_atom(module), do: module

  defp load!(_one, file) do
    modules = for {module, _} <- Code.compile_file(file), do: module

    Enum.find(modules, &function_exported?(&1, :__migration__, 0)) ||
      raise Ecto.MigrationError, "file #{file} does not define an Ecto.Migration"
  end
end
