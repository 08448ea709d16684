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

   # Ecto starts what a repository needs, for as long as that process lives: not the shell's own, so
   # that an expression that fails does not take it away.
   start = fn repo ->
     shell = self()

     hold = fn ->
       wait = fn _ ->
         send(shell, {:started, repo})
         Process.sleep(:infinity)
       end

       {:error, reason} = Ecto.Migrator.with_repo(repo, wait, pool_size: 2)
       exit(reason)
     end

     {_, holds} = spawn_monitor(hold)

     receive do
       {:started, ^repo} ->
         Process.demonitor(holds, [:flush])
         inspect(repo)

       {:DOWN, ^holds, _, _, reason} ->
         IO.puts("#{inspect(repo)} could not be started: #{inspect(reason)}")
         nil
     end
   end

   started =
     for repo <- repos, Code.ensure_loaded?(Ecto.Migrator), Code.ensure_loaded?(repo) do
       start.(repo)
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
