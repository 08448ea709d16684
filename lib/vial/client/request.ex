defmodule Vial.Client.Request do
  @moduledoc false
  # What a call asks for, checked here and sent as one term to the NIF.

  defstruct [:method, :socket, :target, :headers, :body, :timeout, :expect]

  @options [:socket, :body, :query, :key, :origin, :timeout]
  @timeout 15_000

  @doc "Checks the options. A mistake in them raises; a node without a socket is an error."
  def new(method, path, expect, opts) when method in [:get, :post] and is_atom(expect) do
    with {:ok, opts} <- known(opts), {:ok, socket} <- socket(opts[:socket]) do
      {:ok,
       %__MODULE__{
         method: method,
         socket: socket,
         target: target(path, opts[:query] || []),
         headers: headers(opts),
         body: body(opts[:body]),
         timeout: timeout(Keyword.get(opts, :timeout, @timeout)),
         expect: expect
       }}
    end
  end

  @doc "As the NIF reads it."
  def to_native(%__MODULE__{} = request) do
    timeout = if request.timeout != :infinity, do: request.timeout

    {Atom.to_string(request.method), request.socket, request.target, request.headers,
     request.body, timeout, Atom.to_string(request.expect)}
  end

  @doc "An error that the client makes itself."
  def error(reason, message, next) do
    struct!(Vial.Error, reason: reason, message: message, next: next)
  end

  defp known(opts) do
    case Keyword.keys(opts) -- @options do
      [] -> {:ok, opts}
      [other | _] -> raise ArgumentError, "unknown option #{inspect(other)}"
    end
  end

  defp socket(path) do
    case path || System.get_env("VIAL_SOCKET") do
      none when none in [nil, ""] ->
        {:error,
         error(
           :no_socket,
           "This node was not started by Vial: VIAL_SOCKET is not set.",
           "ask from the app's own node (`vial console APP`), or set VIAL_SOCKET to the socket " <>
             "of a daemon"
         )}

      path ->
        {:ok, path}
    end
  end

  defp target(path, query) do
    path =
      case path do
        segments when is_list(segments) ->
          Enum.map_join(segments, fn segment ->
            "/" <> URI.encode(to_string(segment), &URI.char_unreserved?/1)
          end)

        path when is_binary(path) ->
          URI.encode(path, &(URI.char_unescaped?(&1) or &1 == ?%))
      end

    case for {name, value} <- query, value != nil, do: {name, to_string(value)} do
      [] -> path
      query -> path <> "?" <> URI.encode_query(query, :rfc3986)
    end
  end

  defp headers(opts) do
    origin = Keyword.get_lazy(opts, :origin, fn -> if Node.alive?(), do: node() end)

    # An unusual name of a node must not stop a rollback.
    origin = if origin && printable?(to_string(origin)), do: to_string(origin)
    key = opts[:key]

    unless key == nil or (printable?(key) and byte_size(key) <= 64) do
      raise ArgumentError, "key: must be 1 to 64 printable ASCII characters"
    end

    for {name, value} <- [{"vial-origin", origin}, {"idempotency-key", key}], value != nil do
      {name, value}
    end
  end

  # What a header can carry.
  defp printable?(value), do: value =~ ~r/\A[\x20-\x7e]+\z/

  defp body(nil), do: {nil, nil}
  defp body({:file, path}), do: {:file, IO.chardata_to_string(path)}
  defp body(map) when is_map(map), do: {:json, map}

  defp timeout(:infinity), do: :infinity
  defp timeout(ms) when is_integer(ms) and ms >= 0, do: ms
end
