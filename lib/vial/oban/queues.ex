defmodule Vial.Oban.Queues do
  @moduledoc false
  # What the queues of an Oban in this node do. Oban is the application's own: it is found when it is
  # asked, and an old one, or a part of it that is just being started, is no error.

  @compile {:no_warn_undefined, [Oban, Oban.Registry]}

  @type queue :: %{
          required(:queue) => term,
          required(:paused) => boolean,
          required(:running) => [term],
          optional(term) => term
        }

  @doc "The names of the instances that run in this node."
  @spec instances() :: [atom]
  def instances do
    cond do
      not Code.ensure_loaded?(Oban) ->
        []

      Code.ensure_loaded?(Oban.Registry) and function_exported?(Oban.Registry, :select, 1) ->
        Oban.Registry.select([{{:"$1", :_, :_}, [{:is_atom, :"$1"}], [:"$1"]}])

      function_exported?(Oban, :whereis, 1) and is_pid(Oban.whereis(Oban)) ->
        [Oban]

      true ->
        []
    end
  rescue
    # It was not started.
    ArgumentError -> []
  end

  @doc "The queues of an instance in this node; `:unknown` where this Oban cannot say."
  @spec list(atom) :: {:ok, [queue]} | :unknown
  def list(name) do
    cond do
      function_exported?(Oban, :check_all_queues, 1) ->
        {:ok, Oban.check_all_queues(name)}

      function_exported?(Oban, :check_queue, 2) and function_exported?(Oban, :config, 1) ->
        {:ok,
         for(
           {queue, _opts} <- Oban.config(name).queues,
           state = check(name, queue),
           do: state
         )}

      true ->
        :unknown
    end
  rescue
    _error -> {:ok, []}
  catch
    :exit, _reason -> {:ok, []}
  end

  @doc "Whether every queue of an instance is paused and works on nothing."
  @spec still(atom) :: :ok | {:error, String.t()} | :unknown
  def still(name) do
    with {:ok, queues} <- list(name) do
      Enum.find_value(queues, :ok, fn
        %{running: [_ | _] = jobs} = queue ->
          {:error, "the queue #{queue.queue} of #{inspect(name)} still works on #{jobs(jobs)}"}

        %{paused: false} = queue ->
          {:error, "the queue #{queue.queue} of #{inspect(name)} is not paused yet"}

        _still ->
          nil
      end)
    end
  end

  @doc "Whether none of them is paused."
  @spec run(atom) :: :ok | {:error, String.t()} | :unknown
  def run(name) do
    with {:ok, queues} <- list(name) do
      case Enum.find(queues, & &1.paused) do
        nil -> :ok
        queue -> {:error, "the queue #{queue.queue} of #{inspect(name)} is still paused"}
      end
    end
  end

  # One whose process is being started again has no state, and works on nothing.
  defp check(name, queue) do
    Oban.check_queue(name, queue: queue)
  rescue
    _error -> nil
  catch
    :exit, _reason -> nil
  end

  defp jobs([_]), do: "a job"
  defp jobs(jobs), do: "#{length(jobs)} jobs"
end
