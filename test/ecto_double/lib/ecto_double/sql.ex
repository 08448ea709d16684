defmodule EctoDouble.SQL do
  @moduledoc """
  The few statements that the tests write as text. One that is not understood is an error: nothing
  shall pass because nobody looked at it.
  """

  alias EctoDouble.{Database, Lock, Schema}

  @doc "Runs one; `{columns, rows}`."
  def run(sql, params, path) do
    words = sql |> String.trim() |> String.trim_trailing(";") |> String.replace(~r/\s+/, " ")

    cond do
      words =~ "pg_blocking_pids" ->
        blockers(path, params)

      match = Regex.run(~r/\Aselect pg_sleep\((.+)\)\z/i, words) ->
        {seconds, _} = match |> Enum.at(1) |> Float.parse()
        Process.sleep(round(seconds * 1000))
        {["pg_sleep"], [[nil]]}

      words =~ ~r/\Aselect 1 ?\/ ?0\z/i ->
        raise Postgrex.Error.new(:division_by_zero)

      words =~ ~r/\Aselect 1\z/i ->
        Database.read(path)
        {["?column?"], [[1]]}

      match = Regex.run(~r/\Aselect ([a-z_, ]+) from ([a-z_]+)\z/i, words) ->
        [_, columns, name] = match
        columns = String.split(columns, ", ")
        table = Schema.table!(Database.read(path).tables, name)
        for column <- columns, do: Schema.column!(table, name, column)
        {columns, []}

      # There are no rows to change.
      match = Regex.run(~r/\A(?:update|insert into|delete from) ([a-z_]+) /i, words) ->
        Schema.table!(Database.read(path).tables, Enum.at(match, 1))
        {[], []}

      true ->
        raise Postgrex.Error.new(:syntax_error, "the double does not know this statement: #{sql}")
    end
  end

  defp blockers(path, [waiting]) do
    rows =
      for kind <- [:migrations, :write],
          {pid, who} <- [Lock.holder(path, kind)],
          who != waiting,
          do: [pid, "double", who, "idle in transaction", 1, "LOCK TABLE (#{kind})"]

    {["pid", "usename", "application_name", "state", "seconds", "query"], rows}
  end
end
