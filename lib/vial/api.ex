defmodule Vial.API do
  @moduledoc false
  # Where a call goes: which application, which socket, through which client.
  #
  # Every function takes the options of the public function that it serves, and looks for `:app`,
  # `:socket` and `:timeout` in them. The client is the NIF's, and another one in the tests.

  alias Vial.Error

  # The daemon plans and unpacks while the caller waits.
  @patience 60_000

  @doc "The client that all calls go through."
  @spec client() :: module
  def client, do: Application.get_env(:vial, :client, Vial.Client)

  @doc "The application that is meant."
  @spec app(keyword) :: {:ok, String.t()} | {:error, Error.t()}
  def app(opts) do
    case opts[:app] || Vial.app() || Application.get_env(:vial, :app) do
      nil ->
        {:error,
         %Error{
           reason: :no_app,
           message: "Which application is meant is not known: Vial did not start this node.",
           next: ~s(name it: `app: "shop"`, or `config :vial, app: "shop"`)
         }}

      app ->
        {:ok, to_string(app)}
    end
  end

  @doc "The socket of the daemon that is meant."
  @spec socket(keyword) :: {:ok, Path.t()} | {:error, Error.t()}
  def socket(opts) do
    case opts[:socket] || Vial.socket() do
      nil ->
        {:error,
         %Error{
           reason: :no_socket,
           message: "Vial did not start this node: VIAL_SOCKET is not set.",
           next: ~s(name the daemon's socket: `socket: "/run/vial/vial.sock"`)
         }}

      socket ->
        {:ok, socket}
    end
  end

  @doc "Asks for something about the application."
  @spec get(keyword, String.t(), atom, keyword) :: {:ok, term} | {:error, Error.t()}
  def get(opts, path, expect, query \\ []) do
    with {:ok, app} <- app(opts), do: ask(opts, app_path(app, path), expect, query)
  end

  @doc "Asks for something about the daemon."
  @spec ask(keyword, String.t(), atom, keyword) :: {:ok, term} | {:error, Error.t()}
  def ask(opts, path, expect, query \\ []) do
    call(opts, :get, path, expect, query: query, timeout: opts[:timeout] || 15_000)
  end

  @doc """
  Asks for a change of the application.

  It carries a key of its own, so that it is asked for again where the connection broke: the daemon
  does it once.
  """
  @spec post(keyword, String.t(), atom, map | {:file, Path.t()}, keyword) ::
          {:ok, term} | {:error, Error.t()}
  def post(opts, path, expect, body, query \\ []) do
    with {:ok, app} <- app(opts) do
      timeout = opts[:timeout] || if is_map(body), do: @patience, else: :infinity
      given = [body: body, query: query, key: key(), timeout: timeout]

      case call(opts, :post, app_path(app, path), expect, given) do
        {:error, %Error{reason: :disconnected}} when is_map(body) ->
          call(opts, :post, app_path(app, path), expect, given)

        answer ->
          answer
      end
    end
  end

  @doc """
  Says something of this node's own slot, once: it is said again by whoever says it, where it was not
  heard.
  """
  @spec say(String.t(), atom, map, timeout) :: {:ok, term} | {:error, Error.t()}
  def say(path, expect, body, timeout) do
    with {:ok, app} <- app([]) do
      path = app_path(app, "/slots/#{Vial.slot()}" <> path)
      call([], :post, path, expect, body: body, timeout: timeout)
    end
  end

  @doc "Opens a stream of events, whose messages come to the caller."
  @spec stream(keyword, String.t(), keyword) :: {:ok, struct | map} | {:error, Error.t()}
  def stream(opts, path, query) do
    with {:ok, socket} <- socket(opts),
         do: client().stream(path, socket: socket, query: query, owner: self())
  end

  @doc "A path below an application."
  @spec app_path(String.t(), String.t()) :: String.t()
  def app_path(app, path), do: "/v1/apps/" <> URI.encode(app, &URI.char_unreserved?/1) <> path

  defp call(opts, method, path, expect, given) do
    with {:ok, socket} <- socket(opts),
         do: client().call(method, path, expect, [socket: socket] ++ given)
  end

  # No secret: it only has to be another one each time.
  defp key, do: Base.encode16(:rand.bytes(16), case: :lower)
end
