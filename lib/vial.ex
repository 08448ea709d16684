defmodule Vial do
  @moduledoc """
  What a release can know of its place under Vial.

  Vial runs each application in two slots, blue and green, and sends traffic to one of them. A
  release that Vial started can ask which slot it is in. The same release started in another way,
  by `mix phx.server` or by hand, gets `nil` for an answer, so that no code needs a special case
  for development:

      # One metrics port a slot, because for a while both of them run.
      port = if Vial.slot() == :green, do: 9569, else: 9568

  All functions read the environment variables that Vial sets when it starts a slot. They call
  nobody, and work whether the daemon runs or not.

  | function | variable | example |
  |---|---|---|
  | `app/0` | `VIAL_APP` | `"shop"` |
  | `slot/0` | `VIAL_SLOT` | `:blue` |
  | `socket/0` | `VIAL_SOCKET` | `"/run/vial/vial.sock"` |

  To deploy and to roll back is the command line's business: `vial deploy`, `vial rollback`.
  """

  @typedoc "One of the two places where a release of an application runs."
  @type slot :: :blue | :green

  @doc """
  The name of the application in Vial's configuration, which need not be that of the release.

  ## Examples

      iex> System.put_env("VIAL_APP", "shop")
      iex> Vial.app()
      "shop"

      iex> System.delete_env("VIAL_APP")
      iex> Vial.app()
      nil

  """
  @spec app() :: String.t() | nil
  def app, do: variable("VIAL_APP")

  @doc """
  The slot that this node runs in.

  Whether the slot is the active one is not said: that changes while the node runs.

  ## Examples

      iex> System.put_env("VIAL_SLOT", "green")
      iex> Vial.slot()
      :green

      iex> System.delete_env("VIAL_SLOT")
      iex> Vial.slot()
      nil

  """
  @spec slot() :: slot | nil
  def slot do
    case variable("VIAL_SLOT") do
      "blue" -> :blue
      "green" -> :green
      nil -> nil
      other -> raise ArgumentError, "VIAL_SLOT must be blue or green, got: #{inspect(other)}"
    end
  end

  @doc """
  The path of the socket of the daemon that started this node.

  ## Examples

      iex> System.put_env("VIAL_SOCKET", "/run/vial/vial.sock")
      iex> Vial.socket()
      "/run/vial/vial.sock"

      iex> System.delete_env("VIAL_SOCKET")
      iex> Vial.socket()
      nil

  """
  @spec socket() :: Path.t() | nil
  def socket, do: variable("VIAL_SOCKET")

  @doc """
  Whether Vial started this node.

  ## Examples

      iex> System.delete_env("VIAL_SLOT")
      iex> Vial.slot?()
      false

  """
  @spec slot?() :: boolean
  def slot?, do: slot() != nil

  # What is set to nothing counts as not set, as the shell's users mean it.
  defp variable(name) do
    case System.get_env(name) do
      "" -> nil
      value -> value
    end
  end
end
