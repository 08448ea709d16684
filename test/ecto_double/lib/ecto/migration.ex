defmodule Ecto.Migration do
  @moduledoc """
  The commands of a migration. They are collected while `up`, `down` or `change` runs, and executed
  when it has ended or calls `flush/0`, in reverse where a `change` is turned around.
  """

  alias EctoDouble.{Database, Schema, SQL}

  defmacro __using__(_) do
    quote do
      import Ecto.Migration
      @disable_ddl_transaction false
      @disable_migration_lock false
      @before_compile Ecto.Migration
    end
  end

  defmacro __before_compile__(_) do
    quote do
      def __migration__ do
        [
          disable_ddl_transaction: @disable_ddl_transaction,
          disable_migration_lock: @disable_migration_lock
        ]
      end
    end
  end

  defmacro create(object, do: block), do: with_block(:create, object, block)

  defmacro create_if_not_exists(object, do: block) do
    with_block(:create_if_not_exists, object, block)
  end

  defmacro alter(object, do: block), do: with_block(:alter, object, block)

  defp with_block(kind, object, block) do
    quote do
      Ecto.Migration.begin(unquote(kind), unquote(object))
      unquote(block)
      Ecto.Migration.finish()
    end
  end

  def table(name, options \\ []), do: {:table, to_string(name), options}

  def index(name, columns, options \\ []) do
    columns = columns |> List.wrap() |> Enum.map(&to_string/1)
    default = Enum.join([name | columns], "_") <> "_index"
    {:index, to_string(name), to_string(options[:name] || default), columns}
  end

  def unique_index(name, columns, options \\ []), do: index(name, columns, options)
  def references(name, _options \\ []), do: {:references, to_string(name)}

  def create({:index, _, _, _} = index), do: queue(index)
  def create({:table, name, _}), do: queue({:create, name, [{:add, "id", :bigserial}]})

  def drop({:index, name, index, columns}), do: queue({:drop_index, name, index, columns})
  def drop({:table, name, _}), do: queue({:drop, name})
  def drop_if_exists({:table, name, _}), do: queue({:drop_if_exists, name})

  def add(column, type, _options \\ []), do: part({:add, to_string(column), type})
  def remove(column), do: part({:remove, to_string(column), nil})
  def remove(column, type, _options \\ []), do: part({:remove, to_string(column), type})

  def modify(column, type, options \\ []) do
    part({:modify, to_string(column), type, options[:from]})
  end

  def timestamps(_options \\ []) do
    add(:inserted_at, :naive_datetime)
    add(:updated_at, :naive_datetime)
  end

  def rename({:table, name, _}, to: {:table, to, _}), do: queue({:rename, name, to})

  def rename({:table, name, _}, column, to: to) do
    queue({:rename_column, name, to_string(column), to_string(to)})
  end

  def execute(sql) when is_binary(sql) or is_function(sql, 0), do: queue({:execute, sql, nil})
  def execute(up, down), do: queue({:execute, up, down})

  def repo, do: state().repo
  def direction, do: state().migrator_direction

  def flush do
    state = state()
    Process.put(__MODULE__, %{state | commands: []})

    commands =
      if state.direction == :backward, do: state.commands, else: Enum.reverse(state.commands)

    for command <- commands, do: command |> turn(state.direction) |> perform(state.repo)
    :ok
  end

  @doc false
  def run(repo, module, direction, function, migrator_direction) do
    Process.put(__MODULE__, %{
      repo: repo,
      direction: direction,
      migrator_direction: migrator_direction,
      commands: [],
      open: nil
    })

    apply(module, function, [])
    flush()
  after
    Process.delete(__MODULE__)
  end

  @doc false
  def begin(kind, {:table, name, options}) do
    key =
      if kind != :alter and Keyword.get(options, :primary_key, true),
        do: [{:add, "id", :bigserial}]

    Process.put(__MODULE__, %{state() | open: {kind, name, key || []}})
  end

  @doc false
  def finish do
    %{open: {kind, name, parts}} = state = state()
    Process.put(__MODULE__, %{state | open: nil})
    queue({kind, name, Enum.reverse(parts)})
  end

  defp part(part) do
    case state() do
      %{open: {kind, name, parts}} = state ->
        Process.put(__MODULE__, %{state | open: {kind, name, [part | parts]}})

      _ ->
        raise Ecto.MigrationError, "a column can only be changed inside create or alter"
    end
  end

  defp queue(command) do
    state = state()
    Process.put(__MODULE__, %{state | commands: [command | state.commands]})
    :ok
  end

  defp state do
    Process.get(__MODULE__) ||
      raise "could not find migration runner process for #{inspect(self())}"
  end

  defp turn(command, :forward), do: command

  defp turn(command, :backward) do
    case Schema.reverse(command) do
      :irreversible ->
        raise Ecto.MigrationError,
              "cannot reverse migration command: #{inspect(command)}. " <>
                "You will need to explicitly define up/0 and down/0 in your migration"

      reversed ->
        reversed
    end
  end

  defp perform({:execute, fun, _}, _repo) when is_function(fun), do: fun.()
  defp perform({:execute, sql, _}, repo), do: SQL.run(sql, [], Ecto.Repo.meta(repo).path)
  defp perform({:drop_index, name, index, _}, repo), do: perform({:drop_index, name, index}, repo)

  defp perform(command, repo) do
    meta = Ecto.Repo.meta(repo)

    Database.update(meta.path, meta.lock_timeout, meta.who, fn state ->
      %{state | tables: Schema.apply(state.tables, command)}
    end)
  end
end
