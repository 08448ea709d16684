defmodule Shop.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _args) do
    Shop.Fault.before_start()

    children =
      Application.get_env(:shop, :ecto_repos, []) ++
        [
          Shop.PortPrograms,
          {Task.Supervisor, name: Shop.Connections}
        ] ++
        Shop.Queue.children() ++
        [
          # Last, hence stopped first: it drains the connections while all they need still runs.
          {Shop.Listener, port: Application.get_env(:shop, :port) || port()}
        ]

    started = Supervisor.start_link(children, strategy: :rest_for_one, name: Shop.Supervisor)
    if match?({:ok, _}, started), do: Shop.Queue.register()
    started
  end

  defp port do
    text = System.get_env("PORT", "4000")

    case Integer.parse(text) do
      {port, ""} when port in 0..65_535 -> port
      _ -> raise "PORT is #{inspect(text)}, which is not a port: set it to a number up to 65535"
    end
  end
end
