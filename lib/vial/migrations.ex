defmodule Vial.Migrations do
  @moduledoc """
  Lists migrations and moves exactly those that are named, from the console of the release that has
  their files.

  A rollback leaves the database alone unless it is told otherwise, and `Vial.rollback/1` with
  `migrations: :revert` reverts as one of its steps. This module is for doing it by hand:

      {:ok, plan} = Vial.Migrations.plan()
      Vial.Migrations.down(plan)
      #=> {:ok, [#Vial.Migrations.Moved<MyApp.Repo 20240302000000>]}

  It calls `Ecto.Migrator`, which is looked for when it is needed: an application without Ecto has
  nothing to pay. Four things are different from calling it by hand:

    * exactly the versions that were asked for are moved, and where this release has no file of one
      of them nothing is; `Ecto.Migrator.run/3` says `[]` and succeeds
    * the repo need not run, and a pool of one connection is enough: it takes two of its own
    * a lock that somebody else holds is waited for 15 seconds, and the error says who holds it
    * what was moved is compared with what was asked

  A migration that fails is rolled back by the database; those before it stay moved, and the error
  names them.

  ## Options of `list/1`, `down/2` and `up/1`

    * `:repos`: a repo or a list of them. By default the `:ecto_repos` of all applications
    * `:lock_timeout`: milliseconds to wait for each lock, `0` for ever. PostgreSQL only, and it is
      sent when a connection is made, so a PgBouncer in between needs
      `ignore_startup_parameters = lock_timeout`

  A version is an integer. One that several repos have a file of is moved in each of them.
  """

  alias Vial.{Error, Plan}
  alias Vial.Migrations.{Moved, Mover, Repos, State}

  @lock_timeout 15_000

  @doc """
  What a rollback would do, and which migrations stand in its way: `Vial.plan/1`.
  """
  @spec plan(keyword) :: {:ok, Plan.t()} | {:error, Error.t()}
  # Through apply/3, so that this compiles in whatever order.
  def plan(options \\ []), do: apply(Vial, :plan, [options])

  @doc """
  Each repo's migrations: whether they are applied, and whether this release has a file of them.

  It takes no lock.

  ## Examples

      iex> Vial.Migrations.list(repos: [NoSuch.Repo]) |> elem(0)
      :error

  """
  @spec list(keyword) :: {:ok, [State.t()]} | {:error, Error.t()}
  def list(options \\ []) do
    with {:ok, options, []} <- options(options, []), do: Mover.list(options)
  end

  @doc """
  Reverts these versions, the newest first: a version, a list of them, or a plan, whose `migrations`
  are meant.

  Those that are down already are not an error, and not in the answer.

  ## Examples

      iex> {:error, error} = Vial.Migrations.down("20240302000000")
      iex> error.message
      "A migration's version is an integer, and \\"20240302000000\\" is not."

  """
  @spec down(integer | [integer] | Plan.t(), keyword) :: {:ok, [Moved.t()]} | {:error, Error.t()}
  def down(versions, options \\ []) do
    with {:ok, options, []} <- options(options, []),
         {:ok, versions} <- versions(versions),
         do: move(options, :down, versions)
  end

  @doc """
  Applies all migrations that are down, the oldest first, or those of the option `:versions`.

  ## Examples

      iex> {:error, error} = Vial.Migrations.up(version: 20240302000000)
      iex> error.message
      "There is no option :version."

  """
  @spec up(keyword) :: {:ok, [Moved.t()]} | {:error, Error.t()}
  def up(options \\ []) do
    with {:ok, options, own} <- options(options, [:versions]),
         {:ok, versions} <- versions(Keyword.get(own, :versions, :all)),
         do: move(options, :up, versions)
  end

  defp move(options, direction, versions) do
    with {:ok, moved} <- Mover.move(options, direction, versions, fn _, _, _ -> :ok end) do
      {:ok, for({repo, version} <- moved, do: %Moved{repo: inspect(repo), version: version})}
    end
  end

  defp versions(:all), do: {:ok, :all}
  defp versions(%Plan{migrations: migrations}), do: {:ok, Enum.map(migrations, & &1.version)}

  defp versions(versions) do
    case Enum.reject(List.wrap(versions), &is_integer/1) do
      [] -> {:ok, List.wrap(versions)}
      [other | _] -> refuse("A migration's version is an integer, and #{inspect(other)} is not.")
    end
  end

  defp options(options, more) do
    {own, shared} = Keyword.split(options, more)
    unknown = Keyword.keys(shared) -- [:repos, :lock_timeout]
    limit = Keyword.get(shared, :lock_timeout, @lock_timeout)

    cond do
      unknown != [] ->
        refuse("There is no option #{Enum.map_join(unknown, ", ", &inspect/1)}.")

      not (is_integer(limit) and limit >= 0) ->
        refuse("lock_timeout is in milliseconds, and #{inspect(limit)} is not a number of them.")

      true ->
        repos = shared |> Keyword.get(:repos, []) |> List.wrap()
        {:ok, %{repos: repos, apps: Repos.all_apps(), lock_timeout: limit}, own}
    end
  end

  defp refuse(message) do
    {:error, %Error{reason: :bad_request, message: message, next: "see `h Vial.Migrations`"}}
  end
end
