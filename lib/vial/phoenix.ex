defmodule Vial.Phoenix do
  @moduledoc """
  Closes the sockets of a Phoenix endpoint before its slot is frozen.

  A LiveView or a channel holds a WebSocket for as long as its page is open. It stays with the slot that
  it was opened to, also when another one has the traffic, and a slot is not frozen while a connection
  is open on it. Register this where the endpoint has been started, and the clients are told to come
  back, which brings them to the slot that serves:

      Vial.on_standby({Vial.Phoenix, :drain, [ShopWeb.Endpoint]}, after: :drain)

  They come back as they do after any other interruption: a LiveView is mounted anew. Without
  `after: :drain` the same is done as soon as the slot loses the traffic, whether it is to be frozen or
  not.

  It does what Phoenix itself does when the endpoint is stopped, with the options in `:drainer` of each
  `socket`: `batch_size` clients at once, and a pause of `batch_interval` after each batch. A socket
  with `drainer: false` and one that has joined no channel are left alone.

  Needs Phoenix 1.7.3 or newer.
  """

  @doc """
  Tells the clients of an endpoint's sockets to connect anew.

  ## Examples

      iex> Vial.Phoenix.drain(ShopWeb.Endpoint)
      {:error, "ShopWeb.Endpoint is not running: its sockets were not closed"}

  """
  @spec drain(module) :: :ok | {:error, String.t()}
  def drain(endpoint) do
    case Process.whereis(endpoint) do
      nil ->
        {:error, "#{inspect(endpoint)} is not running: its sockets were not closed"}

      supervisor ->
        for {{:terminator, _socket} = drainer, pid, _type, _modules} <-
              Supervisor.which_children(supervisor),
            is_pid(pid) do
          # It drains when it is ended, and is there again for the endpoint's own end.
          :ok = Supervisor.terminate_child(supervisor, drainer)
          Supervisor.restart_child(supervisor, drainer)
        end

        :ok
    end
  end
end
