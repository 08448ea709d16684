defmodule Vial.Native do
  @moduledoc false
  # The functions of the NIF, behind one gate: nothing but Vial.Client calls them.
  #
  # Where no library can be loaded the module is there all the same, and each function returns
  # `{:not_loaded, why}`. The library is looked for in this application's `priv/native`, then where
  # VIAL_NIF says, which the daemon sets to the one that it was shipped with.
  #
  # A library that is loaded stays: another build cannot take over in a node that runs, so a load of
  # this module beside a living one is refused, and the one that is there goes on.

  # The compiler has no use for the library, and a node that compiles this does not call it.
  @compile {:autoload, false}
  @on_load :load

  @version Mix.Project.config()[:version]
  @why {__MODULE__, :why}
  @told {__MODULE__, :told}

  @doc "The version of the protocol that the library was compiled with."
  def protocol_version, do: not_loaded()

  @doc "Asks once; the answer comes by message. Returns a handle, or `:stopped`."
  def call(_reference, _request), do: not_loaded()

  @doc "Opens a stream of events for `owner`. Returns a handle, or `:stopped`."
  def stream(_reference, _owner, _credit, _request), do: not_loaded()

  @doc "Allows a stream to send so many events more."
  def more(_handle, _events), do: not_loaded()

  @doc "Takes a call back or ends a stream: `:busy` while a message of it is being sent."
  def cancel(_handle), do: not_loaded()

  @doc "Why the library is not loaded; `nil` where it is."
  def why, do: :persistent_term.get(@why, nil)

  @doc "Logs once that the library is not loaded."
  def warn do
    unless :persistent_term.get(@told, false) do
      :persistent_term.put(@told, true)
      require Logger
      Logger.warning("Vial's NIF is not loaded, and the app goes on without it: #{why()}")
    end

    :ok
  end

  defp not_loaded, do: {:not_loaded, why()}

  # Runs while the module is loaded, in a release before any application has started: it may only
  # use what is there from the beginning, and must not fail.
  @doc false
  def load, do: load(candidates(), [])

  defp load([], []) do
    no(
      "there is no library in priv/native, because it was compiled without cargo, and VIAL_NIF names none"
    )
  end

  defp load([], failures), do: failures |> Enum.reverse() |> Enum.join("; ") |> no()

  defp load([path | others], failures) do
    case :erlang.load_nif(String.to_charlist(path), @version) do
      :ok ->
        :persistent_term.erase(@why)
        :ok

      # Only while the system runs: there is a logger, and the module of before stays.
      {:error, {reason, _text}} when reason in [:upgrade, :reload] ->
        :logger.warning(
          "Vial's NIF cannot be exchanged in a node that runs: the one that is loaded goes on. " <>
            "Next: restart the node"
        )

        {:error, :upgrade}

      {:error, {:load, _text}} ->
        why = "#{path}.so is not for version #{@version} of this library"
        load(others, [why | failures])

      {:error, {_reason, text}} ->
        load(others, ["#{path}.so: #{text}" | failures])
    end
  end

  defp no(why) do
    :persistent_term.put(@why, why)
    :ok
  end

  defp candidates do
    for path <- [own(), System.get_env("VIAL_NIF")], path not in [nil, ""] do
      # The run-time system appends it.
      path = String.replace_suffix(path, ".so", "")
      if File.exists?(path <> ".so"), do: path
    end
    |> Enum.reject(&is_nil/1)
  end

  defp own do
    case :code.priv_dir(:vial) do
      {:error, :bad_name} -> nil
      priv -> Path.join([priv, "native", "libvial_nif.so"])
    end
  end
end
