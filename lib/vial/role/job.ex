defmodule Vial.Role.Job do
  @moduledoc false
  # One callback: what it is, and one run of it in a process of its own. Whatever goes wrong in it is
  # logged, and hurts nobody else.

  require Logger

  alias Vial.Text

  @limit 30_000
  @until {__MODULE__, :until}
  # So much before its limit a callback that waits gives up by itself, and says what it waits for.
  @margin 250
  # Of what an application says of its own failure.
  @longest 200

  @enforce_keys [:id, :role, :callback, :timeout]
  defstruct [:id, :role, :callback, :timeout, :after]

  @type t :: %__MODULE__{
          id: term,
          role: Vial.Role.role(),
          callback: Vial.Role.callback(),
          timeout: pos_integer,
          after: nil | :drain
        }

  @spec new(Vial.Role.role(), Vial.Role.callback(), keyword) :: t
  def new(role, callback, opts) do
    if not valid?(role, callback) do
      raise ArgumentError,
            "a callback is a function without arguments, {module, function, arguments}, or a " <>
              "module with #{role}/0, got: #{inspect(callback)}"
    end

    %__MODULE__{
      id: {role, Keyword.get(opts, :id, callback)},
      role: role,
      callback: callback,
      timeout: Keyword.get(opts, :timeout, @limit),
      after: time(role, opts[:after])
    }
  end

  @doc "Whether the calling process is a callback's own: waiting for another one would be for ever."
  @spec inside?() :: boolean
  def inside?, do: Process.get(@until) != nil

  @doc "How many milliseconds a callback that waits has left; outside of one, as many as it would have."
  @spec left() :: non_neg_integer
  def left do
    case Process.get(@until) do
      nil -> @limit
      until -> max(until - System.monotonic_time(:millisecond) - @margin, 0)
    end
  end

  @doc "Starts it."
  @spec start(t) :: {pid, reference}
  def start(job), do: spawn_monitor(fn -> exit(run(job)) end)

  @doc "Runs it and waits, where nobody else can."
  @spec run_here(t) :: :ok
  def run_here(job) do
    {pid, monitor} = start(job)

    receive do
      {:DOWN, ^monitor, :process, _pid, reason} -> report(job, reason)
    after
      job.timeout ->
        Process.demonitor(monitor, [:flush])
        Process.exit(pid, :kill)
        report(job, :limit)
    end
  end

  @doc "Logs how it ended, where it did not end well."
  @spec report(t, term) :: :ok
  def report(_job, :normal), do: :ok

  def report(job, :limit) do
    Logger.error("Vial: #{name(job)} did not end within #{job.timeout} ms and was ended.")
  end

  def report(job, {:failed, text}), do: Logger.error("Vial: #{name(job)} failed: #{text}")
  def report(job, reason), do: Logger.error("Vial: #{name(job)} failed: #{inspect(reason)}")

  @doc "How it ended where it did not end well, in a line for the daemon; `nil` where it did."
  @spec trouble(t, term) :: String.t() | nil
  def trouble(_job, :normal), do: nil
  def trouble(job, :limit), do: "#{name(job)} did not end within #{job.timeout} ms"

  def trouble(job, reason) do
    text = if match?({:failed, _}, reason), do: elem(reason, 1), else: inspect(reason)
    [line | _] = String.split(text, "\n", parts: 2)
    "#{name(job)} failed: #{line |> Text.word() |> String.slice(0, @longest)}"
  end

  defp run(job) do
    Process.put(@until, System.monotonic_time(:millisecond) + job.timeout)

    case call(job) do
      {:error, error} when is_exception(error) -> {:failed, Exception.message(error)}
      {:error, error} when is_binary(error) -> {:failed, error}
      {:error, error} -> {:failed, inspect(error)}
      :error -> {:failed, "it returned :error"}
      _done -> :normal
    end
  catch
    kind, reason -> {:failed, Exception.format(kind, reason, __STACKTRACE__)}
  end

  defp call(%{callback: callback}) when is_function(callback), do: callback.()
  defp call(%{callback: {module, function, args}}), do: apply(module, function, args)
  defp call(%{callback: module, role: role}), do: apply(module, role, [])

  defp time(_role, nil), do: nil
  defp time(:standby, :drain), do: :drain

  defp time(_role, other) do
    raise ArgumentError, "after: is :drain, and of on_standby only, got: #{inspect(other)}"
  end

  defp valid?(_role, callback) when is_function(callback, 0), do: true

  defp valid?(_role, {module, function, args}),
    do: is_atom(module) and is_atom(function) and is_list(args)

  defp valid?(role, module) when is_atom(module),
    do: Code.ensure_loaded?(module) and function_exported?(module, role, 0)

  defp valid?(_role, _other), do: false

  defp name(%{role: role, callback: callback}),
    do: "the callback #{inspect(callback)} for #{role}"
end
