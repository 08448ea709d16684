defmodule DoubleGround do
  @moduledoc "The suites on Ecto, on the double."

  def setup, do: EctoGround.make_application()

  def database(repo) do
    name = repo |> Module.split() |> List.last()
    path = Path.join(Application.app_dir(:contract), "#{name}.db")
    for file <- Path.wildcard("#{path}*"), do: File.rm!(file)
    [database: path, pool_size: 4]
  end

  def columns(repo, table), do: EctoDouble.columns(repo.config()[:database], table)

  def holding_lock(repo, fun) do
    EctoDouble.hold_migration_lock(repo.config()[:database], "another deploy", fun)
  end

  def unreachable(repo, fun) do
    File.touch!("#{repo.config()[:database]}.down")
    fun.()
  after
    File.rm!("#{repo.config()[:database]}.down")
  end
end
