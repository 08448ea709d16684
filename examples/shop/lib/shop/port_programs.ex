defmodule Shop.PortPrograms do
  @moduledoc """
  Owns the programs that `/port_program` starts, so that they outlive the request.

  `sleep` does not read its standard input: it stays when the node is gone, as port programs in
  real releases do, and whoever ends the node has to find it.
  """
  use GenServer

  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc "Starts `sleep` for so many seconds and returns its process id."
  def sleep(seconds), do: GenServer.call(__MODULE__, {:sleep, seconds})

  @impl true
  def init(nil), do: {:ok, nil}

  @impl true
  def handle_call({:sleep, seconds}, _from, state) do
    executable = System.find_executable("sleep")
    port = Port.open({:spawn_executable, executable}, args: [Integer.to_string(seconds)])
    {:os_pid, os_pid} = Port.info(port, :os_pid)
    {:reply, os_pid, state}
  end

  @impl true
  def handle_info(_from_a_port, state), do: {:noreply, state}
end
