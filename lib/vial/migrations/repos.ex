defmodule Vial.Migrations.Repos do
  @moduledoc false
  # Which repos there are, and instances of them with connections of their own.
  #
  # Ecto's migration lock needs two connections, and waits for ever. An instance has its own two,
  # whatever pool the app has, and its own lock_timeout, under which no query of the app falls. That
  # it is started inside `Ecto.Migrator.with_repo/3` starts the repo itself where it does not run:
  # migrations may use it by name, and it is what looks for who holds a lock.

  alias Vial.Migrations.Trouble

  @compile {:no_warn_undefined, [Ecto.Migrator, Ecto.Adapters.Postgres]}

  @type open :: %{
          repo: module,
          instance: pid,
          mark: String.t() | nil,
          lock_timeout: non_neg_integer
        }

  @doc "The repos that are named; where none is, those of the applications."
  @spec find([module], [atom]) :: [module]
  def find(named, apps) do
    unless Code.ensure_loaded?(Ecto.Migrator), do: raise(Trouble.no_ecto())
    for app <- apps, do: Application.load(app)

    repos =
      case named do
        [] -> apps |> Enum.flat_map(&Application.get_env(&1, :ecto_repos, [])) |> Enum.uniq()
        named -> Enum.uniq(named)
      end

    if repos == [], do: raise(Trouble.no_repo(apps))
    for repo <- repos, not repo?(repo), do: raise(Trouble.not_a_repo(repo))
    repos
  end

  @doc "All applications of this node, for whoever does not say which."
  @spec all_apps() :: [atom]
  def all_apps, do: for({app, _, _} <- Application.loaded_applications(), do: app)

  @doc "Calls the function with an instance of each repo."
  @spec with_open([module], non_neg_integer, ([open] -> result)) :: result when result: term
  def with_open(repos, lock_timeout, fun), do: open(repos, lock_timeout, [], fun)

  defp open([], _lock_timeout, opened, fun), do: fun.(Enum.reverse(opened))

  defp open([repo | rest], lock_timeout, opened, fun) do
    within = fn repo ->
      one = start(repo, lock_timeout)

      try do
        open(rest, lock_timeout, [one | opened], fun)
      after
        Supervisor.stop(one.instance)
      end
    end

    case Ecto.Migrator.with_repo(repo, within, pool_size: 1) do
      {:ok, result, _apps} -> result
      {:error, reason} -> raise Trouble.not_started(repo, reason)
    end
  end

  defp start(repo, lock_timeout) do
    postgres? = repo.__adapter__() == Ecto.Adapters.Postgres
    mark = if postgres?, do: "vial-#{System.pid()}-#{System.unique_integer([:positive])}"
    parameters = if postgres?, do: [parameters: parameters(repo, mark, lock_timeout)], else: []

    case repo.start_link([name: nil, pool_size: 2] ++ parameters) do
      {:ok, pid} -> %{repo: repo, instance: pid, mark: mark, lock_timeout: lock_timeout}
      {:error, reason} -> raise Trouble.not_started(repo, reason)
    end
  end

  defp parameters(repo, mark, lock_timeout) do
    given = Keyword.get(repo.config(), :parameters, [])
    limit = if lock_timeout > 0, do: [lock_timeout: Integer.to_string(lock_timeout)], else: []
    Keyword.merge(given, [application_name: mark] ++ limit)
  end

  defp repo?(repo) do
    is_atom(repo) and Code.ensure_loaded?(repo) and function_exported?(repo, :__adapter__, 0)
  end
end
