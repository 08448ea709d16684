defmodule Vial.Task do
  @moduledoc false
  # What the Mix tasks have in common: their options, the daemon that is meant, and how they end.

  alias Vial.{Error, Look, SSH, View}

  @local "/run/vial/vial.sock"
  @switches [app: :string, socket: :string, host: :string]

  @doc "What the help of each task says of the options that all have."
  @spec common_help() :: String.t()
  def common_help do
    """
    ## Where the daemon is

      * `--host user@server`: on another host, reached by ssh. The user must be root or a member of
        the group `vial` there, and ssh must need no password: it cannot ask for one here.
      * `--socket PATH`: its socket, on that host; `VIAL_SOCKET` or /run/vial/vial.sock where it is
        not said
      * `--app NAME`: the application's name in Vial's configuration; `config :vial, app: "shop"`, or
        the name of this project where it is not said

    ## Exit status

    0 done, 1 failed, 2 the command line is wrong, 3 refused and nothing has changed, 4 the daemon is
    not reachable. Ctrl-C leaves a deployment in progress alone: it goes on.
    """
  end

  @doc """
  Parses the command line, finds the daemon, and calls `fun` with the options, among them `:app` and
  `:socket` as every function of `Vial` takes them, and the arguments.

  `fun` returns `{:error, error}` where it failed, or `{:usage, message}`; the task then ends with the
  status that goes with it.

  The settings: `:task`, the task's module; `:switches` and `:aliases`, as `OptionParser` takes them;
  `:args`, how many arguments may stand beside them; `:lead`, what stands before an error.
  """
  @spec run([String.t()], keyword, (keyword, [String.t()] -> term)) :: :ok
  def run(argv, settings, fun) do
    {opts, args} = parse(argv, settings)

    case with_daemon(opts, settings, &fun.(&1, args)) do
      {:error, %Error{} = error} -> fail(error, Keyword.get(settings, :lead, ""))
      {:usage, message} -> usage(message, settings)
      _done -> :ok
    end
  end

  @doc "Parses the command line. What is wrong with it is named, and ends the task."
  @spec parse([String.t()], keyword) :: {keyword, [String.t()]}
  def parse(argv, settings) do
    switches = Keyword.get(settings, :common, @switches) ++ Keyword.get(settings, :switches, [])
    aliases = Keyword.get(settings, :aliases, [])
    args = Keyword.get(settings, :args, 0)

    case OptionParser.parse(argv, strict: switches, aliases: aliases) do
      {opts, given, []} when length(given) <= args ->
        {opts, given}

      {_opts, given, []} ->
        usage("#{inspect(Enum.at(given, args))} is one argument too many.", settings)

      {_opts, _given, [{name, value} | _]} ->
        usage(wrong(name, value, switches), settings)
    end
  end

  @doc "Ends the task because of its command line."
  @spec usage(String.t(), keyword) :: no_return
  def usage(message, settings) do
    name = settings |> Keyword.fetch!(:task) |> Mix.Task.task_name()
    IO.puts(:stderr, "#{message}\nNext: `mix help #{name}`")
    exit({:shutdown, 2})
  end

  @doc "Ends the task because of an error."
  @spec fail(Error.t(), String.t()) :: no_return
  def fail(error, lead) do
    IO.write(:stderr, View.Problem.render(error, lead, Look.console()))
    exit({:shutdown, status(error)})
  end

  @doc "Shows what a function makes of the console's look."
  @spec show((Look.t() -> String.t())) :: :ok
  def show(render), do: IO.write(render.(Look.console()))

  @doc "Asks where someone can answer."
  @spec agreed?(keyword, String.t()) :: boolean
  def agreed?(opts, question), do: not asks?(opts) or Mix.shell().yes?(question, default: :no)

  @doc "Whether someone can answer: on a terminal, and without `--yes`."
  @spec asks?(keyword) :: boolean
  def asks?(opts), do: not Keyword.get(opts, :yes, false) and terminal?()

  defp terminal? do
    case Application.get_env(:vial, :terminal) do
      nil -> terminal?(0) and terminal?(1)
      terminal? -> terminal?
    end
  end

  # Erlang does not say what standard input is. Where the system does not either, it is taken for
  # what standard output is.
  defp terminal?(descriptor) do
    case File.read_link("/proc/#{System.pid()}/fd/#{descriptor}") do
      {:ok, "/dev/" <> device} -> device != "null"
      {:ok, _pipe_or_file} -> false
      {:error, _} -> match?({:ok, _}, :io.columns())
    end
  end

  defp with_daemon(opts, settings, fun) do
    opts = Keyword.put_new_lazy(opts, :app, fn -> project(settings) end)

    case Keyword.pop(opts, :host) do
      {nil, opts} ->
        opts |> Keyword.put_new_lazy(:socket, fn -> Vial.socket() || @local end) |> fun.()

      {host, opts} ->
        with {:ok, tunnel} <- SSH.open(host, opts[:socket] || @local) do
          through(tunnel, Keyword.put(opts, :socket, tunnel.socket), fun)
        end
    end
  end

  defp through(tunnel, opts, fun) do
    case fun.(opts) do
      {:error, error} ->
        broke? = error.reason in [:unreachable, :disconnected]
        said = SSH.close(tunnel, if(broke?, do: 1_000, else: 0))
        {:error, SSH.explain(error, tunnel, said)}

      answer ->
        SSH.close(tunnel)
        answer
    end
  catch
    kind, reason ->
      SSH.close(tunnel)
      :erlang.raise(kind, reason, __STACKTRACE__)
  end

  defp project(settings) do
    case Application.get_env(:vial, :app) || Mix.Project.config()[:app] do
      nil -> usage("Which application is meant is not known: name it with --app.", settings)
      app -> to_string(app)
    end
  end

  defp status(%Error{reason: reason}) when reason in [:unreachable, :no_socket, :not_loaded],
    do: 4

  defp status(error), do: if(Error.refusal?(error), do: 3, else: 1)

  defp wrong(name, nil, switches) do
    known =
      Enum.map(switches, fn {name, _type} -> "--" <> String.replace("#{name}", "_", "-") end)

    nearest = Enum.max_by(known, &String.jaro_distance(&1, name))

    cond do
      name in known -> "#{name} needs a value."
      String.jaro_distance(nearest, name) > 0.8 -> "There is no #{name}. Did you mean #{nearest}?"
      true -> "There is no #{name}."
    end
  end

  defp wrong(name, value, _switches), do: "#{name} cannot be #{inspect(value)}."
end
