defmodule Ecto.MigrationError do
  @moduledoc false
  defexception [:message]
end
