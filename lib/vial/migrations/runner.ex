defmodule Vial.Migrations.Runner do
  @moduledoc false
  # What the daemon calls in a release that has the library: the arguments and the lines are
  # described where the call is, in sidecar/src/app/jobs/in_app.exs.

  alias Vial.Error
  alias Vial.Migrations.Mover

  @longest 2000

  @doc "Does what the arguments say, and writes what it did to standard output, line by line."
  @spec run(map, (() -> term)) :: :ok
  def run(%{action: :around} = args, work) do
    before = Mover.list(args)
    with {:error, error} <- before, do: say(args, ["unknown", one_line(error.message)])

    try do
      work.()
    after
      with {:ok, before} <- before, do: tell_new(args, before, Mover.list(args))
      say(args, ["done"])
    end

    :ok
  end

  def run(%{action: :list} = args, _work) do
    case Mover.list(args) do
      {:ok, states} -> Enum.each(states, &say_state(args, &1))
      {:error, error} -> say(args, ["error", text(error)])
    end

    say(args, ["done"])
  end

  def run(%{action: direction} = args, _work) when direction in [:up, :down] do
    told = fn what, repo, version ->
      say(args, [Atom.to_string(what), inspect(repo), Integer.to_string(version)])
    end

    with {:error, error} <- Mover.move(args, direction, args.versions, told) do
      say(args, ["error", text(error)])
    end

    say(args, ["done"])
  end

  defp tell_new(args, before, {:ok, now}) do
    known = for %{applied: :up} = state <- before, do: {state.repo, state.version}

    for %{applied: :up} = state <- now, {state.repo, state.version} not in known do
      say(args, ["moved", state.repo, Integer.to_string(state.version)])
    end
  end

  defp tell_new(args, _before, {:error, error}),
    do: say(args, ["unknown", one_line(error.message)])

  defp say_state(args, state) do
    name = if state.name, do: [one_line(state.name)], else: []
    version = Integer.to_string(state.version)
    say(args, ["state", state.repo, Atom.to_string(state.applied), version] ++ name)
  end

  # Whoever started this may be gone. That must not stop a migration halfway.
  defp say(args, words) do
    IO.write(["vial:", args.token, " ", Enum.intersperse(words, " "), "\n"])
    :ok
  catch
    _, _ -> :ok
  end

  defp text(%Error{message: message, next: nil}), do: one_line(message)
  defp text(%Error{message: message, next: next}), do: one_line("#{message}\nNext: #{next}.")

  defp one_line(text) do
    text = if String.valid?(text), do: text, else: inspect(text)
    text |> String.slice(0, @longest) |> String.replace("\r", "") |> String.replace("\n", "\\n")
  end
end
