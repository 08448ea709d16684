defmodule Vial.Client do
  @moduledoc false
  # The one door to the daemon: every other module of the library asks through it.
  #
  # A call blocks its caller and nobody else, and always returns: the NIF answers exactly once,
  # with an error where the daemon is away, hangs, breaks off or talks nonsense. A stream sends
  # `{:vial, ref, {:event, event}}` and at last one `{:vial, ref, {:done, nil | error}}`.

  alias Vial.Client.Request
  alias Vial.Client.Stream, as: Handle
  alias Vial.Native

  @typedoc "Which struct, or list of structs, the answer is."
  @type expect ::
          :daemon
          | :status
          | :deployments
          | :deployment
          | :plan
          | :accepted
          | :log
          | :evaluated
          | :migrations
          | :migrated
          | :rested

  # How much longer than the NIF itself a caller waits for it. It is never used up unless the
  # machine is starved.
  @grace 5_000

  @doc """
  Asks the daemon once.

  Options: `socket:` (default: `VIAL_SOCKET`), `body:` (a map, sent as JSON, or `{:file, path}`,
  streamed from the disk), `query:` (nil values are left out), `key:` (idempotency key), `origin:`
  (default: this node, if it is alive), `timeout:` in ms or `:infinity` (default: 15 s).

  `path` is a string, or a list of segments, each of which is encoded: `["v1", "apps", name]`.
  """
  @spec call(:get | :post, Path.t() | [term], expect, keyword) ::
          {:ok, term} | {:error, Exception.t()}
  def call(method, path, expect, opts \\ []) do
    with {:ok, request} <- Request.new(method, path, expect, opts) do
      ref = make_ref()

      case Native.call(ref, Request.to_native(request)) do
        {:not_loaded, why} -> not_loaded(why)
        :stopped -> stopped()
        handle -> await(ref, handle, request)
      end
    end
  end

  defp await(ref, handle, request) do
    receive do
      {:vial, ^ref, answer} -> answer
    after
      patience(request.timeout) -> late(ref, handle)
    end
  end

  # The answer may have been sent in this very moment.
  defp late(ref, handle) do
    quieten(handle)

    receive do
      {:vial, ^ref, answer} -> answer
    after
      0 -> stopped()
    end
  end

  @doc """
  Opens a stream of events, and waits until it is open.

  Options as for `call/4`, whose `timeout:` is that of the opening; `owner:` gets the events
  (default: the caller), and the stream ends with it; `credit:` is how many events may come before
  `more/2` asks for others (default: 64).
  """
  @spec stream(Path.t() | [term], keyword) :: {:ok, Handle.t()} | {:error, Exception.t()}
  def stream(path, opts \\ []) do
    {owner, opts} = Keyword.pop(opts, :owner, self())
    {credit, opts} = Keyword.pop(opts, :credit, 64)

    with {:ok, request} <- Request.new(:get, path, :daemon, opts) do
      ref = make_ref()

      case Native.stream(ref, owner, credit, Request.to_native(request)) do
        {:not_loaded, why} -> not_loaded(why)
        :stopped -> stopped()
        handle -> opened(%Handle{ref: ref, native: handle, owner: owner}, request)
      end
    end
  end

  defp opened(%Handle{ref: ref} = stream, request) do
    receive do
      {:vial, ^ref, {:opened, {:ok, nil}}} -> {:ok, stream}
      {:vial, ^ref, {:opened, {:error, error}}} -> {:error, error}
    after
      patience(request.timeout) ->
        cancel(stream)
        stopped()
    end
  end

  @doc "Lets a stream send `events` more."
  @spec more(Handle.t(), non_neg_integer) :: :ok
  def more(%Handle{native: handle}, events) when is_integer(events) and events >= 0 do
    _ = Native.more(handle, events)
    :ok
  end

  @doc """
  Ends a stream. Afterwards its owner gets no message of it; those that the caller already has are
  taken out of its mailbox.
  """
  @spec cancel(Handle.t()) :: :ok
  def cancel(%Handle{ref: ref, native: handle}) do
    quieten(handle)
    flush(ref)
  end

  @doc "Whether the NIF is loaded."
  @spec available?() :: boolean
  def available?, do: is_binary(Native.protocol_version())

  defp quieten(handle) do
    if Native.cancel(handle) == :busy do
      Process.sleep(1)
      quieten(handle)
    else
      :ok
    end
  end

  defp flush(ref) do
    receive do
      {:vial, ^ref, _} -> flush(ref)
    after
      0 -> :ok
    end
  end

  defp patience(:infinity), do: :infinity
  defp patience(timeout), do: timeout + @grace

  defp not_loaded(why) do
    Native.warn()

    {:error,
     Request.error(
       :not_loaded,
       "Vial's NIF is not loaded: #{why}.",
       "install Rust and compile `:vial` again (`mix deps.compile vial --force`), or name a " <>
         "library in VIAL_NIF: the daemon sets it to its own for the releases that it starts"
     )}
  end

  defp stopped do
    {:error,
     Request.error(
       :stopped,
       "Vial's NIF did not answer: whether the daemon did what was asked is not known.",
       "ask again for the status, which shows what came of it"
     )}
  end
end
