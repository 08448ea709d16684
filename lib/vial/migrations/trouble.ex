defmodule Vial.Migrations.Trouble do
  @moduledoc false
  # What can go wrong with migrations, in words.

  alias Vial.Error

  @no_way_down ["cannot reverse", "does not implement a `down/0`"]

  def no_ecto do
    error(:configuration, "There is no Ecto.Migrator in this release: it has no ecto_sql.", nil)
  end

  def no_repo(apps) do
    where = if apps == [], do: "", else: " of #{Enum.map_join(apps, ", ", &inspect/1)}"

    error(
      :configuration,
      "No repo is known: :ecto_repos#{where} is empty.",
      "name them: `repos = [\"…\"]` in the app's configuration, `repos: […]` in Elixir"
    )
  end

  def not_a_repo(repo) do
    error(:configuration, "#{inspect(repo)} is no Ecto repo of this release.", "correct `repos`")
  end

  def not_started(repo, reason) do
    reason = if is_exception(reason), do: Exception.message(reason), else: inspect(reason)

    error(
      :configuration,
      "#{inspect(repo)} does not start: #{reason}",
      "correct its configuration, and try again"
    )
  end

  def not_one_file(version, names) do
    error(
      :not_found,
      "#{version} must be the version of one file, and is that of #{length(names)}" <>
        if(names == [], do: ".", else: ": #{Enum.join(names, ", ")}."),
      "rename the file that is wrong, and deploy"
    )
  end

  def no_migration_inside(name) do
    error(:not_found, "#{name} defines no Ecto.Migration.", "correct the file, and deploy")
  end

  def no_file(versions) do
    error(
      :not_found,
      "This release has no file of #{Enum.join(versions, ", ")}. Nothing was moved.",
      "run it in the release that brought it"
    )
  end

  def not_moved(direction, rows) do
    names = Enum.map_join(rows, ", ", fn {repo, version} -> "#{version} of #{inspect(repo)}" end)

    error(
      code(direction),
      "Ecto did not fail, and yet #{names} is not #{direction}: something else moved it meanwhile.",
      "look at `Vial.Migrations.list()`, and see that nothing else migrates"
    )
  end

  @doc "A migration failed; `moved` are the versions that were moved before it."
  def failed(direction, {version, name}, moved, cause, blockers) do
    cause = inner(cause)
    {reason, why, next} = explain(direction, cause, blockers)

    stays =
      case moved do
        [] -> "Nothing was moved."
        moved -> "Moved before it, and left so: #{Enum.join(moved, ", ")}."
      end

    error(reason, "#{version} #{name} did not go #{direction}: #{sentence(why)} #{stays}", next)
  end

  @doc "Something failed that was not a migration."
  def unexpected(%Error{} = error), do: error

  def unexpected(cause) do
    {reason, why, next} = explain(:up, inner(cause), [])
    error(reason, sentence(why), next)
  end

  defp explain(direction, %{postgres: %{code: :lock_not_available}}, blockers) do
    who =
      case blockers do
        [] -> "Who it was could not be seen."
        blockers -> "It is held by #{Enum.join(Enum.uniq(blockers), "; ")}."
      end

    {code(direction), "a lock was not to be had within lock_timeout. #{who}",
     "wait until that has ended, or end it (`SELECT pg_terminate_backend(PID)`), and try again"}
  end

  defp explain(_direction, %{__struct__: DBConnection.ConnectionError} = cause, _) do
    {:migration_failed, "the database cannot be reached: #{first_line(cause)}",
     "see that the database runs and takes connections, and try again"}
  end

  defp explain(direction, %{__struct__: Ecto.MigrationError} = cause, _) do
    message = Exception.message(cause)

    if direction == :down and String.contains?(message, @no_way_down) do
      {:irreversible, "it has no way down: #{message}",
       "keep it, or write a migration that goes forward to what you need"}
    else
      {code(direction), message, "correct the migration, and try again"}
    end
  end

  defp explain(direction, cause, _) when is_exception(cause) do
    {code(direction), Exception.message(cause), "correct what it names, and try again"}
  end

  defp explain(direction, cause, _) do
    {code(direction), inspect(cause), "look into the log of the release"}
  end

  # Ecto asserts that its LOCK TABLE succeeds, so what PostgreSQL said is inside a MatchError.
  defp inner(%MatchError{term: {:error, cause}}) when is_exception(cause), do: cause
  defp inner(cause), do: cause

  defp first_line(cause), do: cause |> Exception.message() |> String.split("\n") |> hd()

  defp sentence(text) do
    text = String.trim(text)
    if String.ends_with?(text, [".", "!", "?"]), do: text, else: text <> "."
  end

  defp code(:down), do: :revert_failed
  defp code(:up), do: :migration_failed

  defp error(reason, message, next), do: %Error{reason: reason, message: message, next: next}
end
