defmodule Vial.Pack do
  @moduledoc false
  # A release's folder as a .tar.gz beside the others of the system's temporary folder, or one that is
  # packed already.

  alias Vial.Error

  # The folder in which a release that was once started keeps its pipes, its log, and copies of its
  # configuration with all secrets in it. `mix release` never makes it.
  @scratch "tmp"

  @doc "Calls `fun` with the path of an archive, which is gone afterwards where it was made here."
  @spec with_archive(Path.t(), (Path.t() -> result)) :: result | {:error, Error.t()}
        when result: term
  def with_archive(path, fun) do
    cond do
      File.regular?(path) -> fun.(Path.expand(path))
      not File.dir?(path) -> {:error, unreadable(path, "there is no such file or folder")}
      not release?(path) -> {:error, no_release(path)}
      true -> packed(path, fun)
    end
  end

  defp packed(folder, fun) do
    archive = Path.join(System.tmp_dir!(), "vial-#{System.pid()}-#{:rand.uniform(1_000_000_000)}")

    try do
      with :ok <- pack(folder, archive), do: fun.(archive)
    after
      File.rm(archive)
    end
  end

  defp pack(folder, archive) do
    # Nobody else on this machine has to read a release.
    with {:ok, _} <- File.open(archive, [:write, :exclusive], fn _file -> :ok end),
         :ok <- File.chmod(archive, 0o600),
         {:ok, tar} <- :erl_tar.open(String.to_charlist(archive), [:write, :compressed]),
         :ok <- add(tar, folder, folder |> File.ls!() |> Enum.sort()) do
      :erl_tar.close(tar)
    else
      {:error, reason} -> {:error, unreadable(folder, :erl_tar.format_error(reason))}
    end
  end

  defp add(_tar, _folder, []), do: :ok
  defp add(tar, folder, [@scratch | names]), do: add(tar, folder, names)

  defp add(tar, folder, [name | names]) do
    path = folder |> Path.join(name) |> String.to_charlist()

    case :erl_tar.add(tar, path, String.to_charlist(name), []) do
      :ok ->
        add(tar, folder, names)

      error ->
        :erl_tar.close(tar)
        error
    end
  end

  defp release?(folder),
    do: File.dir?(Path.join(folder, "bin")) and File.dir?(Path.join(folder, "releases"))

  defp no_release(folder) do
    %Error{
      reason: :bad_release,
      message: "#{folder} is not a release: it has no `bin` or no `releases` folder.",
      next: "`MIX_ENV=prod mix release` makes one in _build/prod/rel/NAME"
    }
  end

  defp unreadable(path, why) do
    %Error{
      reason: :bad_release,
      message: "#{path} cannot be read: #{why}.",
      next: "name a release's folder, or a .tar.gz of one"
    }
  end
end
