defmodule Shop.Request do
  @moduledoc """
  The head of an HTTP/1 request, parsed from the bytes received so far.
  """

  @head_limit 64 * 1024

  defstruct [:method, :path, :query, :minor, headers: %{}, content_length: 0, keep_alive?: true]

  @doc """
  Parses one head off the front of `buffer`.

  Returns `{:ok, request, rest}`, `:more` when the head is not complete, or `{:error, status}`
  with the status to answer before the connection is closed.
  """
  def parse(<<"\r\n", rest::binary>>), do: parse(rest)

  def parse(buffer) do
    with {:ok, request, rest} <- request_line(buffer),
         {:ok, request, rest} <- headers(rest, request),
         {:ok, request} <- framing(request) do
      {:ok, request, rest}
    else
      :more when byte_size(buffer) > @head_limit -> {:error, 431}
      other -> other
    end
  end

  @doc "The number in the query under `name`, held between 0 and `max`; `default` without one."
  def number(request, name, default, max) do
    with text when is_binary(text) <- Map.get(query(request), name),
         {number, ""} <- Integer.parse(text) do
      number |> max(0) |> min(max)
    else
      _ -> default
    end
  end

  @doc "Whether a header that holds a list of words has `word` among them."
  def has_word?(request, header, word) do
    request.headers
    |> Map.get(header, "")
    |> String.split(",")
    |> Enum.any?(&(&1 |> String.trim() |> String.downcase() == word))
  end

  defp query(%{query: nil}), do: %{}

  defp query(%{query: text}) do
    URI.decode_query(text)
  rescue
    ArgumentError -> %{}
  end

  defp request_line(buffer) do
    case :erlang.decode_packet(:http_bin, buffer, []) do
      {:ok, {:http_request, method, target, {1, minor}}, rest} ->
        {path, query} = split(target)

        {:ok, %__MODULE__{method: to_string(method), path: path, query: query, minor: minor},
         rest}

      {:ok, {:http_request, _, _, _}, _} ->
        {:error, 505}

      {:more, _} ->
        :more

      _ ->
        {:error, 400}
    end
  end

  defp split({:abs_path, target}), do: split(target)
  defp split({:absoluteURI, _scheme, _host, _port, target}), do: split(target)

  defp split(target) when is_binary(target) do
    case String.split(target, "?", parts: 2) do
      [path, query] -> {path, query}
      [path] -> {path, nil}
    end
  end

  defp split(_asterisk_or_authority), do: {"*", nil}

  defp headers(buffer, request) do
    case :erlang.decode_packet(:httph_bin, buffer, []) do
      {:ok, {:http_header, _, name, _, value}, rest} ->
        name = name |> to_string() |> String.downcase(:ascii)
        headers = Map.update(request.headers, name, value, &(&1 <> ", " <> value))
        headers(rest, %{request | headers: headers})

      {:ok, :http_eoh, rest} ->
        {:ok, request, rest}

      {:more, _} ->
        :more

      _ ->
        {:error, 400}
    end
  end

  # Where the body ends must be beyond doubt, or the next request is read from its middle.
  defp framing(request) do
    request = %{request | keep_alive?: keep_alive?(request)}

    case {request.headers["transfer-encoding"], request.headers["content-length"]} do
      {nil, nil} -> {:ok, request}
      {nil, digits} -> content_length(request, digits)
      {_chunked, nil} -> {:error, 411}
      {_, _} -> {:error, 400}
    end
  end

  defp content_length(request, digits) do
    if digits =~ ~r/\A[0-9]{1,15}\z/ do
      {:ok, %{request | content_length: String.to_integer(digits)}}
    else
      {:error, 400}
    end
  end

  defp keep_alive?(%{minor: 0} = request), do: has_word?(request, "connection", "keep-alive")
  defp keep_alive?(request), do: not has_word?(request, "connection", "close")
end
