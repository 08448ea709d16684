defmodule Vial.FakeClient do
  # Stands in for the client at its edge: answers as a test says, and lets it speak as the daemon's
  # stream would. Every call is told to the test, as `{:called, method, path, opts}`.

  use Agent

  def install do
    test = self()

    {:ok, _} =
      Agent.start_link(fn -> %{test: test, answer: nil, streams: []} end, name: __MODULE__)

    Application.put_env(:vial, :client, __MODULE__)

    ExUnit.Callbacks.on_exit(fn -> Application.delete_env(:vial, :client) end)
    :ok
  end

  def start_link(test),
    do: Agent.start_link(fn -> %{test: test, answer: nil, streams: []} end, name: __MODULE__)

  # What answers calls: a function of method, path and options. For a stream the method is :stream.
  def answer(fun), do: Agent.update(__MODULE__, &%{&1 | answer: fun})

  # Says something on every stream that is open.
  def push(event),
    do: each_stream(fn owner, ref -> send(owner, {:vial, ref, {:event, event}}) end)

  def drop(error) do
    each_stream(fn owner, ref -> send(owner, {:vial, ref, {:done, error}}) end)
    Agent.update(__MODULE__, &%{&1 | streams: []})
  end

  def streams, do: Agent.get(__MODULE__, & &1.streams)

  # The client's own functions. What is left of a test may still call them when it is over.

  def call(method, path, expect, opts) do
    {test, answer} = Agent.get(__MODULE__, &{&1.test, &1.answer})
    send(test, {:called, method, path, [expect: expect] ++ opts})
    answer.(method, path, opts)
  end

  def stream(path, opts) do
    owner = Keyword.fetch!(opts, :owner)
    {test, answer} = Agent.get(__MODULE__, &{&1.test, &1.answer})
    send(test, {:called, :stream, path, opts})

    case answer.(:stream, path, opts) do
      {:error, error} ->
        {:error, error}

      events ->
        handle = %{ref: make_ref()}
        Agent.update(__MODULE__, &%{&1 | streams: [{owner, handle.ref} | &1.streams]})
        for event <- events, do: send(owner, {:vial, handle.ref, {:event, event}})
        {:ok, handle}
    end
  end

  def more(handle, count) do
    send(Agent.get(__MODULE__, & &1.test), {:more, handle.ref, count})
    :ok
  catch
    :exit, _ -> :ok
  end

  def cancel(handle) do
    Agent.update(__MODULE__, fn state ->
      %{state | streams: Enum.reject(state.streams, fn {_owner, ref} -> ref == handle.ref end)}
    end)
  catch
    :exit, _ -> :ok
  end

  def available?, do: true

  defp each_stream(fun), do: Enum.each(streams(), fn {owner, ref} -> fun.(owner, ref) end)
end
