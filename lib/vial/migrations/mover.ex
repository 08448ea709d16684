defmodule Vial.Migrations.Mover do
  @moduledoc false
  # Lists and moves migrations. Exactly those that were asked for go, one by one, with
  # `Ecto.Migrator.up/4` and `down/4`: `run(repo, :down, to: v)` would also take what lies between
  # them, and says only at its end what it did. Ecto takes its lock for each one in either case.
  #
  # All of it runs in a process of its own: it sets the repo's dynamic instance, and links to it.

  alias Vial.Error
  alias Vial.Migrations.{Blockers, Files, Repos, State, Trouble}

  @compile {:no_warn_undefined, Ecto.Migrator}

  @not_found "** FILE NOT FOUND **"

  @type options :: %{
          repos: [module],
          apps: [atom],
          lock_timeout: non_neg_integer
        }

  @typedoc "What is told of each migration that was asked for."
  @type told :: (:moved | :already, module, integer -> term)

  @doc "Each repo's migrations, by repo and version."
  @spec list(options) :: {:ok, [State.t()]} | {:error, Error.t()}
  def list(options) do
    isolated(fn ->
      opened(options, fn opened ->
        for open <- opened, {state, version, name} <- states(open) do
          %State{repo: inspect(open.repo), version: version, name: name, applied: state}
        end
      end)
    end)
  end

  @doc "Moves exactly these versions, or with `:all` every one that is down."
  @spec move(options, :up | :down, [integer] | :all, told) ::
          {:ok, [{module, integer}]} | {:error, Error.t()}
  def move(options, direction, versions, told) do
    isolated(fn -> opened(options, &move_open(&1, direction, versions, told)) end)
  end

  defp move_open(opened, direction, versions, told) do
    rows =
      for open <- opened, {state, version, name} <- states(open), do: {open, version, state, name}

    asked = asked(rows, versions)
    refuse_lost(rows, asked, direction)

    wanted = for {_, version, _, name} = row <- rows, version in asked, name, do: row
    order = if direction == :down, do: :desc, else: :asc

    moved =
      wanted
      |> Enum.sort_by(&elem(&1, 1), order)
      |> Enum.reduce([], fn {open, version, state, name}, moved ->
        case move_one(open, direction, version, state, name, moved) do
          :moved ->
            told.(:moved, open.repo, version)
            [{open.repo, version} | moved]

          :already ->
            told.(:already, open.repo, version)
            moved
        end
      end)

    check(opened, direction, wanted)
    Enum.reverse(moved)
  end

  defp asked(rows, :all), do: for({_, version, :down, name} <- rows, name, do: version)
  defp asked(_rows, versions), do: versions

  # Nothing is moved where one cannot be: half of it would be worse than none.
  defp refuse_lost(rows, asked, direction) do
    here = for {_, version, _, name} <- rows, name, do: version
    other = if direction == :down, do: :up, else: :down
    lost = for {_, version, ^other, nil} <- rows, version in asked, do: version

    case Enum.uniq(Enum.reject(asked, &(&1 in here)) ++ lost) do
      [] -> :ok
      lost -> raise Trouble.no_file(lost)
    end
  end

  defp move_one(_open, direction, _version, direction, _name, _moved), do: :already

  defp move_one(open, direction, version, _state, name, moved) do
    work = fn ->
      module = Files.load!(open.repo, version)
      apply(Ecto.Migrator, direction, [open.repo, version, module, [dynamic_repo: open.instance]])
    end

    case Blockers.watching(open, work) do
      {:ok, :ok} ->
        :moved

      # Somebody else was faster.
      {:ok, already} when already in [:already_up, :already_down] ->
        :already

      {:failed, cause, blockers} ->
        versions = for {_, version} <- Enum.reverse(moved), do: version
        raise Trouble.failed(direction, {version, name}, versions, cause, blockers)
    end
  end

  # What was done is compared with what was asked.
  defp check(opened, direction, wanted) do
    now =
      for open <- opened,
          {state, version, _} <- states(open),
          into: %{},
          do: {{open.repo, version}, state}

    case for {open, version, _, _} <- wanted,
             now[{open.repo, version}] != direction,
             do: {open.repo, version} do
      [] -> :ok
      rows -> raise Trouble.not_moved(direction, rows)
    end
  end

  # Without the lock: to look is no change, and must not wait behind one.
  defp states(open) do
    folders = [Ecto.Migrator.migrations_path(open.repo)]
    options = [dynamic_repo: open.instance, migration_lock: false]

    for {state, version, name} <- Ecto.Migrator.migrations(open.repo, folders, options) do
      {state, version, if(name != @not_found, do: to_string(name))}
    end
  end

  defp opened(options, fun) do
    options.repos |> Repos.find(options.apps) |> Repos.with_open(options.lock_timeout, fun)
  end

  defp isolated(fun) do
    task =
      Task.async(fn ->
        try do
          {:ok, fun.()}
        catch
          :error, reason ->
            {:error, Trouble.unexpected(Exception.normalize(:error, reason, __STACKTRACE__))}

          _kind, reason ->
            {:error, Trouble.unexpected(reason)}
        end
      end)

    Task.await(task, :infinity)
  end
end
