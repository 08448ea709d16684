defmodule EctoDouble.Lock do
  @moduledoc """
  A lock that operating system processes share: whoever has bound the abstract socket of its name
  holds it. The kernel frees it with the process, and an Erlang process that dies closes it too.
  """

  @pause 5

  @typedoc "What is locked: the right to migrate, or to write."
  @type kind :: :migrations | :write

  @doc "Takes the lock, or gives up after so many milliseconds."
  @spec acquire(Path.t(), kind, timeout, String.t()) :: {:ok, term} | {:error, :timeout}
  def acquire(path, kind, timeout, who) do
    deadline = if timeout == :infinity, do: :infinity, else: now() + timeout
    attempt(path, kind, deadline, who)
  end

  @doc "Gives it back."
  @spec release(term) :: :ok
  def release(socket), do: :gen_tcp.close(socket)

  @doc "Who holds it: the process's id and the name it gave, or `nil` where nobody does."
  @spec holder(Path.t(), kind) :: {integer, String.t()} | nil
  def holder(path, kind) do
    with {:ok, socket} <- :gen_tcp.connect({:local, name(path, kind)}, 0, []),
         :gen_tcp.close(socket),
         {:ok, text} <- File.read(note(path, kind)),
         [pid, who] <- String.split(text, " ", parts: 2) do
      {String.to_integer(pid), who}
    else
      _ -> nil
    end
  end

  defp attempt(path, kind, deadline, who) do
    case :gen_tcp.listen(0, ifaddr: {:local, name(path, kind)}, backlog: 64) do
      {:ok, socket} ->
        # For whoever asks who it is; a note whose writer is gone is never believed.
        File.write(note(path, kind), [System.pid(), " ", who])
        {:ok, socket}

      {:error, :eaddrinuse} ->
        if deadline != :infinity and now() >= deadline do
          {:error, :timeout}
        else
          Process.sleep(@pause)
          attempt(path, kind, deadline, who)
        end
    end
  end

  defp name(path, kind) do
    hash = :crypto.hash(:sha256, [Path.expand(path), 0, Atom.to_string(kind)])
    <<0, "ecto-double-", Base.encode16(binary_part(hash, 0, 16))::binary>>
  end

  defp note(path, kind), do: "#{path}.#{kind}"

  defp now, do: System.monotonic_time(:millisecond)
end
