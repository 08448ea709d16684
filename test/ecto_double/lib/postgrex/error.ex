defmodule Postgrex.Error do
  @moduledoc false
  defexception [:message, :postgres, :query]

  @codes %{
    lock_not_available: {"55P03", "canceling statement due to lock timeout"},
    undefined_table: {"42P01", "relation does not exist"},
    duplicate_table: {"42P07", "relation already exists"},
    undefined_column: {"42703", "column does not exist"},
    duplicate_column: {"42701", "column already exists"},
    undefined_object: {"42704", "object does not exist"},
    division_by_zero: {"22012", "division by zero"},
    syntax_error: {"42601", "syntax error"}
  }

  def new(code, message \\ nil) do
    {number, default} = Map.fetch!(@codes, code)
    postgres = %{code: code, pg_code: number, message: message || default, severity: "ERROR"}
    %__MODULE__{postgres: postgres}
  end

  @impl true
  def message(%{postgres: %{code: code, pg_code: number, message: message}}) do
    "ERROR #{number} (#{code}) #{message}"
  end

  def message(%{message: message}), do: message
end

defmodule DBConnection.ConnectionError do
  @moduledoc false
  defexception [:message, reason: :error]
end
