defmodule EctoDouble.Schema do
  @moduledoc """
  What a migration's command does to the tables, and what turns it around.
  """

  @doc "Applies a command to the tables; raises what PostgreSQL would."
  def apply(tables, {:create, name, columns}) do
    if tables[name], do: fail(:duplicate_table, ~s(relation "#{name}" already exists))
    table = %{columns: [], indexes: []}
    columns = Enum.uniq_by(columns, &elem(&1, 1))
    Map.put(tables, name, Enum.reduce(columns, table, &change(&2, name, &1)))
  end

  def apply(tables, {:create_if_not_exists, name, columns}) do
    if tables[name], do: tables, else: __MODULE__.apply(tables, {:create, name, columns})
  end

  def apply(tables, {:drop, name}) do
    table!(tables, name)
    Map.delete(tables, name)
  end

  def apply(tables, {:drop_if_exists, name}), do: Map.delete(tables, name)

  def apply(tables, {:alter, name, changes}) do
    table = table!(tables, name)
    Map.put(tables, name, Enum.reduce(changes, table, &change(&2, name, &1)))
  end

  def apply(tables, {:rename, name, to}) do
    table = table!(tables, name)
    if tables[to], do: fail(:duplicate_table, ~s(relation "#{to}" already exists))
    tables |> Map.delete(name) |> Map.put(to, table)
  end

  def apply(tables, {:rename_column, name, column, to}) do
    table = table!(tables, name)
    column!(table, name, column)
    columns = Enum.map(table.columns, &if(&1 == column, do: to, else: &1))
    Map.put(tables, name, %{table | columns: columns})
  end

  def apply(tables, {:index, name, index, columns}) do
    table = table!(tables, name)
    for column <- columns, do: column!(table, name, column)
    if index in table.indexes, do: fail(:duplicate_table, ~s(relation "#{index}" already exists))
    Map.put(tables, name, %{table | indexes: [index | table.indexes]})
  end

  def apply(tables, {:drop_index, name, index}) do
    table = table!(tables, name)

    if index not in table.indexes do
      fail(:undefined_object, ~s(index "#{index}" does not exist))
    end

    Map.put(tables, name, %{table | indexes: List.delete(table.indexes, index)})
  end

  @doc "The command that turns this one around, or `:irreversible`."
  def reverse({:create, name, _}), do: {:drop, name}
  def reverse({:create_if_not_exists, name, _}), do: {:drop_if_exists, name}
  def reverse({:rename, name, to}), do: {:rename, to, name}
  def reverse({:rename_column, name, column, to}), do: {:rename_column, name, to, column}
  def reverse({:index, name, index, _}), do: {:drop_index, name, index}
  def reverse({:drop_index, name, index, columns}), do: {:index, name, index, columns}

  def reverse({:alter, name, changes}) do
    reversed = Enum.map(changes, &reverse_change/1)
    if :irreversible in reversed, do: :irreversible, else: {:alter, name, Enum.reverse(reversed)}
  end

  def reverse({:execute, _up, down}) when down != nil, do: {:execute, down, nil}
  def reverse(_), do: :irreversible

  defp reverse_change({:add, column, _}), do: {:remove, column, nil}
  defp reverse_change({:remove, column, type}) when type != nil, do: {:add, column, type}

  defp reverse_change({:modify, column, type, from}) when from != nil,
    do: {:modify, column, from, type}

  defp reverse_change(_), do: :irreversible

  defp change(table, name, {:add, column, _}) do
    if column in table.columns do
      fail(:duplicate_column, ~s(column "#{column}" of relation "#{name}" already exists))
    end

    %{table | columns: table.columns ++ [column]}
  end

  defp change(table, name, {:remove, column, _}) do
    column!(table, name, column)
    %{table | columns: List.delete(table.columns, column)}
  end

  defp change(table, name, {:modify, column, _, _}) do
    column!(table, name, column)
    table
  end

  @doc "The table, or the error that PostgreSQL gives."
  def table!(tables, name) do
    tables[name] || fail(:undefined_table, ~s(relation "#{name}" does not exist))
  end

  @doc "Nothing, or the error that PostgreSQL gives."
  def column!(table, name, column) do
    column in table.columns ||
      fail(:undefined_column, ~s(column "#{column}" of relation "#{name}" does not exist))
  end

  defp fail(code, message), do: raise(Postgrex.Error.new(code, message))
end
