defmodule Shop.Repo do
  @moduledoc """
  The database of the versions that have one: the file that `SHOP_DB` names.
  """
  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres

  # Read at each start, as an application reads its DATABASE_URL.
  def init(_type, config) do
    path =
      System.get_env("SHOP_DB") || config[:database] ||
        raise "SHOP_DB is not set: set it to the path of the shop's database file"

    {:ok, Keyword.put(config, :database, path)}
  end
end
