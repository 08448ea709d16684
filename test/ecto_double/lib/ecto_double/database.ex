defmodule EctoDouble.Database do
  @moduledoc """
  The file: read whole, replaced whole. Inside a transaction a process sees its own changes, and
  nobody else sees them before it ends.
  """

  alias EctoDouble.Lock

  @empty %{tables: %{}, applied: nil, reverted: []}

  @doc "What is in the database, as this process sees it."
  def read(path) do
    case Process.get({__MODULE__, path}) do
      nil -> read_file(path)
      state -> state
    end
  end

  @doc "Changes what is in it, by itself where there is no transaction around it."
  def update(path, timeout, who, change) do
    transaction(path, timeout, who, fn ->
      Process.put({__MODULE__, path}, change.(read(path)))
      :ok
    end)
  end

  @doc "All or nothing of what the function changes."
  def transaction(path, timeout, who, fun) do
    if Process.get({__MODULE__, path}) do
      fun.()
    else
      lock =
        case Lock.acquire(path, :write, timeout, who) do
          {:ok, lock} -> lock
          {:error, :timeout} -> raise Postgrex.Error.new(:lock_not_available)
        end

      try do
        Process.put({__MODULE__, path}, read_file(path))
        result = fun.()
        write_file(path, Process.get({__MODULE__, path}))
        result
      after
        Process.delete({__MODULE__, path})
        Lock.release(lock)
      end
    end
  end

  defp read_file(path) do
    if File.exists?("#{path}.down") do
      raise DBConnection.ConnectionError,
            "tcp connect (#{path}): connection refused - :econnrefused"
    end

    case File.read(path) do
      {:ok, bytes} -> :erlang.binary_to_term(bytes)
      {:error, :enoent} -> @empty
    end
  end

  defp write_file(path, state) do
    aside = "#{path}.#{System.pid()}"

    File.open!(aside, [:write, :raw, :binary], fn file ->
      :ok = :file.write(file, :erlang.term_to_binary(state))
      :ok = :file.sync(file)
    end)

    File.rename!(aside, path)
  end
end
