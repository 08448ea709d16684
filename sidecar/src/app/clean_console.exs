# What IEx runs first in a console on a release that does not run: it starts the repositories, and
# nothing else of the app, so that `Ecto.Migrator.run(Shop.Repo, :down, to: VERSION)` works here.
(fn ->
   names = fn variable -> variable |> System.get_env("") |> String.split(",", trim: true) end
   apps = Enum.map(names.("VIAL_CONSOLE_APPS"), &String.to_atom/1)
   Enum.each(apps, &Application.load/1)

   repos =
     case names.("VIAL_CONSOLE_REPOS") do
       [] -> apps |> Enum.flat_map(&Application.get_env(&1, :ecto_repos, [])) |> Enum.uniq()
       named -> Enum.map(named, &Module.concat([&1]))
     end

   start = fn repo ->
     {:ok, _} = Application.ensure_all_started(:ecto_sql)
     {:ok, _} = repo.__adapter__().ensure_all_started(repo.config(), :temporary)
     {:ok, pid} = repo.start_link(pool_size: 2)
     # It must outlive an expression that fails.
     Process.unlink(pid)
   end

   started =
     for repo <- repos, Code.ensure_loaded?(Ecto.Migrator), Code.ensure_loaded?(repo) do
       try do
         start.(repo)
         inspect(repo)
       catch
         _, reason ->
           IO.puts("#{inspect(repo)} could not be started: #{inspect(reason)}")
           nil
       end
     end

   IO.puts("""

   A clean IEx on #{System.get_env("VIAL_CONSOLE_RELEASE")}: no traffic, and the app is not started.
   """)

   case Enum.reject(started, &is_nil/1) do
     [] ->
       :ok

     named ->
       IO.puts("""
       Started: #{Enum.join(named, ", ")}. Migrations are listed and reverted by

           Ecto.Migrator.migrations(#{hd(named)})
           Ecto.Migrator.run(#{hd(named)}, :down, to: VERSION)
       """)
   end
 end).()
