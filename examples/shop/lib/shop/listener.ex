defmodule Shop.Listener do
  @moduledoc """
  Owns the listening socket and its acceptors, and ends the connections in order at shutdown.

  Its supervisor stops it first: it closes the socket, tells every connection to finish, and
  waits for them. Requests in flight have 15 seconds, WebSockets are closed with 1012.
  """
  use GenServer

  @acceptors 8
  @drain_limit 15_000

  def start_link(options), do: GenServer.start_link(__MODULE__, options, name: __MODULE__)

  def child_spec(options) do
    %{
      id: __MODULE__,
      start: {__MODULE__, :start_link, [options]},
      shutdown: @drain_limit + 2_000
    }
  end

  @doc "The port that is listened on: of use where the configured one is 0."
  def port, do: GenServer.call(__MODULE__, :port)

  @doc "Whether the server is stopping, so that each response is the last of its connection."
  def draining?, do: :persistent_term.get({__MODULE__, :draining}, false)

  @impl true
  def init(options) do
    Process.flag(:trap_exit, true)
    port = Keyword.fetch!(options, :port)

    case :gen_tcp.listen(port, socket_options()) do
      {:ok, socket} ->
        :persistent_term.put({__MODULE__, :draining}, false)
        {:ok, %{socket: socket, acceptors: for(_ <- 1..@acceptors, do: start_acceptor(socket))}}

      {:error, reason} ->
        IO.puts(:stderr, "cannot listen on 127.0.0.1:#{port}: #{:inet.format_error(reason)}")
        {:stop, {:listen, port, reason}}
    end
  end

  @impl true
  def handle_call(:port, _from, state) do
    {:ok, port} = :inet.port(state.socket)
    {:reply, port, state}
  end

  @impl true
  def handle_info({:EXIT, pid, _reason}, state) do
    {:noreply,
     %{state | acceptors: [start_acceptor(state.socket) | List.delete(state.acceptors, pid)]}}
  end

  @impl true
  def terminate(_reason, state) do
    deadline = System.monotonic_time(:millisecond) + @drain_limit
    :persistent_term.put({__MODULE__, :draining}, true)

    acceptors = Enum.map(state.acceptors, &Process.monitor/1)
    :gen_tcp.close(state.socket)
    # A connection that is being handed over is among the children once the acceptors are gone.
    await_down(acceptors, deadline)

    connections =
      for pid <- Task.Supervisor.children(Shop.Connections) do
        send(pid, :drain)
        Process.monitor(pid)
      end

    await_down(connections, deadline)
  end

  defp socket_options do
    [
      :binary,
      ip: {127, 0, 0, 1},
      active: false,
      nodelay: true,
      reuseaddr: true,
      backlog: 1024,
      send_timeout: 30_000,
      send_timeout_close: true
    ]
  end

  defp start_acceptor(socket), do: spawn_link(fn -> accept(socket) end)

  defp accept(listener) do
    case :gen_tcp.accept(listener) do
      {:ok, socket} ->
        hand_over(socket)
        accept(listener)

      {:error, :closed} ->
        :ok

      # The client went away before we looked, or there are no file descriptors left just now.
      {:error, reason} ->
        if reason in [:emfile, :enfile], do: Process.sleep(100)
        accept(listener)
    end
  end

  defp hand_over(socket) do
    {:ok, pid} = Task.Supervisor.start_child(Shop.Connections, Shop.Connection, :start, [])

    case :gen_tcp.controlling_process(socket, pid) do
      :ok -> send(pid, {:socket, socket})
      {:error, _} -> send(pid, :gone)
    end
  end

  defp await_down(monitors, deadline) do
    for monitor <- monitors do
      left = max(deadline - System.monotonic_time(:millisecond), 0)

      receive do
        {:DOWN, ^monitor, _, _, _} -> :ok
      after
        left -> :late
      end
    end
  end
end
