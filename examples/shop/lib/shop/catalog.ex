defmodule Shop.Catalog do
  @moduledoc """
  What a version asks its database, where it has one: the code that a schema has to fit.

  The home page reads what is for sale. The health check asks for `SELECT 1`, as most do, and so
  cannot see that the home page's query fails.
  """

  if Application.compile_env(:shop, :database, false) do
    @variant Application.compile_env!(:shop, :variant)

    @queries (if @variant in [8, 15] do
                ["SELECT id, name FROM products", "SELECT product_id, cents FROM prices"]
              else
                if @variant in [9, 10] do
                  ["SELECT id, name FROM products"]
                else
                  ["SELECT id, name, price_cents FROM products"]
                end
              end)

    @doc "The status of `/` as far as the schema decides."
    def home_status, do: if(Enum.all?(@queries, &answers?/1), do: 200, else: 500)

    # Version 11 counts what has a price, and a column that came back came back empty.
    if @variant == 11 do
      @doc "The status of `/health` as far as the database decides."
      def health_status do
        if answers?("SELECT 1") and EctoDouble.reverted(database()) == [], do: 200, else: 503
      end

      defp database, do: Keyword.fetch!(Shop.Repo.config(), :database)
    else
      @doc "The status of `/health` as far as the database decides."
      def health_status, do: if(answers?("SELECT 1"), do: 200, else: 503)
    end

    defp answers?(query), do: match?({:ok, _}, Shop.Repo.query(query))
  else
    @doc "The status of `/` as far as the schema decides: there is none."
    def home_status, do: 200

    @doc "The status of `/health` as far as the database decides: there is none."
    def health_status, do: 200
  end
end
