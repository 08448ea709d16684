# What the daemon evaluates in a release to look at its migrations and to move them. One Elixir
# expression, a function of two arguments, embedded in the daemon and given as one argument to
# `bin/NAME rpc` or `bin/NAME eval`:
#
#     (THIS TEXT
#     ).(ARGS, fn -> (
#     THE USER'S EXPRESSION, OR nil
#     ) end)
#
# The newlines matter: the user's expression may end with a comment.
#
# ARGS is a literal map:
#
#     %{action: :list | :down | :up | :around,
#       repos: [Shop.Repo],      # or []: the :ecto_repos of `apps`
#       apps: [:shop],           # the OTP applications that hold the migrations; they are loaded
#       versions: [20240101000000],   # for :down and :up, integers; for :up also :all
#       token: "5f0c…",          # fresh for each call, so that what an app prints is not taken for ours
#       lock_timeout: 15000}     # ms to wait for any lock of the database; 0 waits for ever
#
# It writes lines to standard output, each in one write. Whatever does not begin with `vial:TOKEN `
# is the app's own output.
#
#     vial:TOKEN moved REPO VERSION               as soon as that migration is committed
#     vial:TOKEN already REPO VERSION             it was down (or up) before
#     vial:TOKEN state REPO up|down VERSION NAME  :list; no NAME where the release has no file of it
#     vial:TOKEN unknown REASON                   :around could not list; `work` runs all the same
#     vial:TOKEN error TEXT                       what happened, why, and after "\nNext: " what to do
#     vial:TOKEN done                             always the last line
#
# In REASON and TEXT a newline is written as \n and what is beyond 2000 characters is left out. All
# but VERSION is untrusted text. No `done` means that the program was ended before it came to it: a
# migration that was moving then was rolled back by the database or has been committed, and only
# `:list` tells. `moved` before an `error` stays true: each migration is committed by itself.
#
#   :list    each repo's migrations, by version; it takes no lock
#   :down    exactly `versions`, the newest first. A version belongs to each repo that has a file of
#            it. Where one has no file here, nothing is moved and the error names it
#   :up      the same upwards, the oldest first; `:all` is every migration that is down
#   :around  runs `work`, then tells what it moved up. If `work` fails, it fails as it would by
#            itself, after `done`
#
# It raises nothing of its own: an error is a line, and the exit status is 0.
#
# By `rpc` the app must run; by `eval` its whole environment must be set. Either way the database is
# reached through two connections of its own, so a pool of one is enough. They ask PostgreSQL for
# `lock_timeout`; a PgBouncer in between has to allow that: `ignore_startup_parameters`.
#
# Where the library is in the release, its own code does all this. What follows the `else` is for a
# release without it.
fn args, work ->
  if Code.ensure_loaded?(Vial.Migrations.Runner) and
       function_exported?(Vial.Migrations.Runner, :run, 2) do
    apply(Vial.Migrations.Runner, :run, [args, work])
  else
    one_line = fn text ->
      text = if String.valid?(text), do: text, else: inspect(text)
      text |> String.slice(0, 2000) |> String.replace("\r", "") |> String.replace("\n", "\\n")
    end

    # Whoever started this may be gone. That must not stop a migration halfway.
    say = fn words ->
      try do
        IO.write(["vial:", args.token, " ", Enum.intersperse(words, " "), "\n"])
      catch
        _, _ -> :ok
      end
    end

    number = &Integer.to_string/1

    # The errors that are told as they are, and those that Ecto raises.
    refuse = fn text -> throw({:vial, text}) end

    tell = fn error ->
      cause =
        case error do
          %{__struct__: MatchError, term: {:error, %{__exception__: true} = cause}} -> cause
          cause -> cause
        end

      case cause do
        %{postgres: %{code: :lock_not_available}} ->
          "Somebody else held a lock for longer than #{args.lock_timeout} ms: another migration, " <>
            "or a transaction that uses the table.\n" <>
            "Next: look into pg_stat_activity for it, end it, and try again."

        %{__exception__: true} ->
          Exception.message(cause) <>
            "\nNext: correct what it names, and try again; what was moved before it stays."

        other ->
          inspect(other) <> "\nNext: look into the log of the release."
      end
    end

    # Runs a function; returns {:ok, what it returned} or {:error, text}.
    guarded = fn fun ->
      try do
        {:ok, fun.()}
      catch
        :throw, {:vial, text} -> {:error, text}
        :error, reason -> {:error, tell.(Exception.normalize(:error, reason, __STACKTRACE__))}
        _, reason -> {:error, tell.(reason)}
      end
    end

    repos = fn ->
      for app <- args.apps, do: Application.load(app)

      found =
        case args.repos do
          [] ->
            args.apps |> Enum.flat_map(&Application.get_env(&1, :ecto_repos, [])) |> Enum.uniq()

          named ->
            named
        end

      Code.ensure_loaded?(Ecto.Migrator) || refuse.("There is no Ecto.Migrator in this release.")

      found == [] &&
        refuse.("No repo is known.\nNext: name them in the app's configuration: repos = [\"…\"]")

      for repo <- found,
          not (Code.ensure_loaded?(repo) and function_exported?(repo, :config, 0)) do
        refuse.(
          "#{inspect(repo)} is no Ecto repo of this release.\n" <>
            "Next: correct `repos` in the app's configuration."
        )
      end

      found
    end

    # An instance of the repo with connections of its own: whatever pool the app has, there are the
    # two that Ecto's lock needs, and no other query waits under our lock_timeout.
    own = fn repo ->
      more =
        if repo.__adapter__() == Ecto.Adapters.Postgres and args.lock_timeout > 0 do
          given = Keyword.get(repo.config(), :parameters, [])
          limit = [lock_timeout: Integer.to_string(args.lock_timeout)]
          [parameters: Keyword.merge(given, limit)]
        else
          []
        end

      case repo.start_link([name: nil, pool_size: 2] ++ more) do
        {:ok, pid} -> pid
        {:error, reason} -> refuse.("#{inspect(repo)} does not start: #{inspect(reason)}")
      end
    end

    # Calls `use` with [{repo, instance}], all of them open.
    with_all = fn use ->
      open = fn repo, inner ->
        fn opened ->
          within = fn repo ->
            pid = own.(repo)

            try do
              inner.([{repo, pid} | opened])
            after
              Supervisor.stop(pid)
            end
          end

          case Ecto.Migrator.with_repo(repo, within, pool_size: 1) do
            {:ok, result, _} -> result
            {:error, why} -> refuse.("#{inspect(repo)} does not start: #{inspect(why)}")
          end
        end
      end

      Enum.reduce(repos.(), &use.(Enum.sort(&1)), open).([])
    end

    # [{:up | :down, version, name or nil}], oldest first. Without the lock: to look is no change.
    list = fn {repo, pid} ->
      folders = [Ecto.Migrator.migrations_path(repo)]
      options = [dynamic_repo: pid, migration_lock: false]

      for {state, version, name} <- Ecto.Migrator.migrations(repo, folders, options) do
        {state, version, if(name == "** FILE NOT FOUND **", do: nil, else: "#{name}")}
      end
    end

    # The migration's module, compiled from its file as Ecto does it.
    load = fn repo, version ->
      files =
        for file <-
              Path.wildcard(Path.join([Ecto.Migrator.migrations_path(repo), "**", "*.exs"])),
            match?({^version, "_" <> _}, Integer.parse(Path.basename(file, ".exs"))),
            do: file

      case files do
        [file] ->
          modules = for {module, _} <- Code.compile_file(file), do: module

          Enum.find(modules, &function_exported?(&1, :__migration__, 0)) ||
            refuse.("#{Path.basename(file)} defines no migration.\nNext: correct it, and deploy.")

        _ ->
          names = Enum.map_join(files, ", ", &Path.basename/1)
          refuse.("#{version} is the version of several files: #{names}.\nNext: rename one.")
      end
    end

    move = fn opened, direction ->
      states = for {repo, _} = one <- opened, do: {repo, list.(one)}

      rows =
        for {repo, states} <- states,
            {state, version, name} <- states,
            do: {repo, version, state, name}

      asked =
        case args.versions do
          :all -> for {_, version, :down, _} <- rows, do: version
          versions -> versions
        end

      here = for {_, version, _, name} <- rows, name != nil, do: version
      lost = for {_, version, :up, nil} <- rows, version in asked, do: version

      case Enum.uniq(Enum.reject(asked, &(&1 in here)) ++ lost) do
        [] ->
          :ok

        missing ->
          refuse.(
            "This release has no file of #{Enum.join(missing, ", ")}. Nothing was moved.\n" <>
              "Next: run it in the release that brought it."
          )
      end

      wanted = for {_, version, _, name} = row <- rows, version in asked, name != nil, do: row
      order = if direction == :down, do: :desc, else: :asc

      for {repo, version, state, name} <- Enum.sort_by(wanted, &elem(&1, 1), order) do
        options = [dynamic_repo: :proplists.get_value(repo, opened)]

        result =
          if state == direction do
            :already
          else
            guarded.(fn ->
              apply(Ecto.Migrator, direction, [repo, version, load.(repo, version), options])
            end)
          end

        case result do
          {:ok, :ok} -> say.(["moved", inspect(repo), number.(version)])
          {:error, text} -> refuse.("#{version} #{name} did not go #{direction}: #{text}")
          _ -> say.(["already", inspect(repo), number.(version)])
        end
      end
    end

    why = fn text -> text |> String.split("\nNext: ") |> hd() end

    ups = fn ->
      with_all.(fn opened ->
        for {repo, _} = one <- opened, {:up, version, _} <- list.(one), do: {repo, version}
      end)
    end

    case args.action do
      :around ->
        before = guarded.(ups)
        with {:error, text} <- before, do: say.(["unknown", one_line.(why.(text))])

        result =
          try do
            {:ok, work.()}
          catch
            kind, reason -> {kind, reason, __STACKTRACE__}
          end

        with {:ok, before} <- before do
          case guarded.(ups) do
            {:ok, now} ->
              for {repo, version} <- now -- before do
                say.(["moved", inspect(repo), number.(version)])
              end

            {:error, text} ->
              say.(["unknown", one_line.(why.(text))])
          end
        end

        say.(["done"])
        with {kind, reason, stack} <- result, do: :erlang.raise(kind, reason, stack)

      :list ->
        done =
          guarded.(fn ->
            with_all.(fn opened ->
              for {repo, _} = one <- opened, {state, version, name} <- list.(one) do
                name = if name, do: [one_line.(name)], else: []
                say.(["state", inspect(repo), Atom.to_string(state), number.(version)] ++ name)
              end
            end)
          end)

        with {:error, text} <- done, do: say.(["error", one_line.(text)])
        say.(["done"])

      direction ->
        done = guarded.(fn -> with_all.(&move.(&1, direction)) end)
        with {:error, text} <- done, do: say.(["error", one_line.(text)])
        say.(["done"])
    end

    :ok
  end
end

