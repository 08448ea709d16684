defmodule Ecto.Adapters.Postgres do
  @moduledoc false
  # In the real one the adapter does the work; here it is only a name that a repo may give.
  def ensure_all_started(_config, _mode), do: {:ok, []}
  def supports_ddl_transaction?, do: true
end
