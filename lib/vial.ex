defmodule Vial do
  @moduledoc """
  What an application sees of itself under Vial, and how it takes a bad deploy back.

  Vial runs each application in two slots, blue and green, and sends traffic to one of them. From a
  console inside the running application (`vial console shop`) a developer sees what Vial sees:

      Vial.status()
      {:ok,
       #Vial.Status<shop: v2.0.0 serves from green since 14:02 (3 m ago), healthy;
         idle blue stopped (v1.0.0)>}

  and goes back to the release before:

      Vial.rollback(reason: "the checkout answers 500")
      Roll back shop: v2.0.0 (#2) → v1.0.0 (#1)
        Release   v1.0.0 last took the traffic 13:40:11 (25 m ago)
        Slot      blue; it is started and checked first; the release that serves goes on until then
        Database  left alone; v1.0.0 knows every migration
      This console is on green, which is the slot that is left: it will be stopped
      when the requests in flight have ended. The rollback goes on without it: `vial status shop`.
      Deploying  starting     861 ms
      Verifying                 7 ms
      Verifying  switching      4 ms
      Live: v1.0.0 serves since 14:05:31; now the slot that this console is on drains, and is stopped.

  ## Options of every function

  Functions that ask the daemon return `{:ok, result}` or `{:error, %Vial.Error{}}`, and take:

    * `:app`: the application, where it is not this one; `config :vial, app: "shop"` names it for a
      node that Vial did not start
    * `:socket`: the daemon's socket, where it is not the one that started this node
    * `:timeout`: how long to wait, in milliseconds

  Those that change something print what they do, step by step. `quiet: true` leaves that out, and
  `wait: false` returns once it is accepted, with a `Vial.Accepted`.

  ## A node's place

  A release that Vial started can ask where it is. The same release started in another way, by
  `mix phx.server` or by hand, gets `nil` for an answer, so that no code needs a special case for
  development:

      # One metrics port a slot, because for a while both of them run.
      port = if Vial.slot() == :green, do: 9569, else: 9568

  | function | variable | example |
  |---|---|---|
  | `app/0` | `VIAL_APP` | `"shop"` |
  | `slot/0` | `VIAL_SLOT` | `:blue` |
  | `socket/0` | `VIAL_SOCKET` | `"/run/vial/vial.sock"` |

  These read the environment and call nobody, whether the daemon runs or not.

  ## Work that only one slot should do

  While a deploy is checked and while it bakes, two releases run, and in standby the old one stays for
  longer. Requests go to one of them, but queues and timers know nothing of that: `on_standby/2` and
  `on_active/2` tell them, and `Vial.Oban` does it for Oban.

  At a switch the traffic moves in an instant. The work follows when the slot that had it came to rest,
  which is when its callbacks for standby have ended; so two slots never work at once. For that moment
  no slot does, and `works` in `status/1` is `nil`. A slot that does not come to rest in time (the
  app's `standby.rest`, 10 seconds unless it says otherwise) does not stop the other.

  A slot that is kept `frozen` is stopped in the middle of whatever it does. So that this is nothing,
  its release is frozen only after it said that it rests: the callbacks for standby have ended, then
  those with `after: :drain`, no Oban works (`Vial.Oban`), and no database connection is in use
  (`Vial.Ecto`). A page that keeps a WebSocket open keeps its slot from that: see `Vial.Phoenix`.
  """

  alias Vial.{API, Change, Error, Feed, History, Logs, Progress, Role, View, Watch}

  @common [:app, :socket, :timeout]
  @following @common ++ [:quiet, :wait]

  @typedoc "One of the two places where a release of an application runs."
  @type slot :: :blue | :green

  @typedoc "What `subscribe/1` returned."
  @opaque subscription :: Feed.t()

  @typedoc "What is called when a slot becomes the one that works, or is it no longer."
  @type callback :: (() -> any) | {module, atom, [term]} | module

  @doc """
  The name of the application in Vial's configuration, which need not be that of the release.

  ## Examples

      iex> System.put_env("VIAL_APP", "shop")
      iex> Vial.app()
      "shop"

      iex> System.delete_env("VIAL_APP")
      iex> Vial.app()
      nil

  """
  @spec app() :: String.t() | nil
  def app, do: variable("VIAL_APP")

  @doc """
  The slot that this node runs in.

  Whether the slot is the active one changes while the node runs: see `active?/0`.

  ## Examples

      iex> System.put_env("VIAL_SLOT", "green")
      iex> Vial.slot()
      :green

      iex> System.delete_env("VIAL_SLOT")
      iex> Vial.slot()
      nil

  """
  @spec slot() :: slot | nil
  def slot do
    case variable("VIAL_SLOT") do
      "blue" -> :blue
      "green" -> :green
      nil -> nil
      other -> raise ArgumentError, "VIAL_SLOT must be blue or green, got: #{inspect(other)}"
    end
  end

  @doc """
  The path of the socket of the daemon that started this node.

  ## Examples

      iex> System.put_env("VIAL_SOCKET", "/run/vial/vial.sock")
      iex> Vial.socket()
      "/run/vial/vial.sock"

      iex> System.delete_env("VIAL_SOCKET")
      iex> Vial.socket()
      nil

  """
  @spec socket() :: Path.t() | nil
  def socket, do: variable("VIAL_SOCKET")

  @doc """
  Whether Vial started this node.

  ## Examples

      iex> System.delete_env("VIAL_SLOT")
      iex> Vial.slot?()
      false

  """
  @spec slot?() :: boolean
  def slot?, do: slot() != nil

  @doc """
  What the application does now: what serves and from where, its slots, what is in progress.

  ## Examples

      {:ok, status} = Vial.status()
      status.serving.version
      #=> "2.0.0"

  Where Vial did not start this node and no socket is given, there is nobody to ask:

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, error} = Vial.status(app: "shop")
      iex> error.reason
      :no_socket

  """
  @spec status(keyword) :: {:ok, Vial.Status.t()} | {:error, Error.t()}
  def status(opts \\ []) do
    opts |> check(@common) |> API.get("", :status)
  end

  @doc """
  The daemon, with every application that this user may see.

  ## Examples

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, error} = Vial.daemon()
      iex> Exception.message(error)
      "Vial did not start this node: VIAL_SOCKET is not set."

  """
  @spec daemon(keyword) :: {:ok, Vial.Daemon.t()} | {:error, Error.t()}
  def daemon(opts \\ []) do
    opts |> check([:socket, :timeout]) |> API.ask("/v1/status", :daemon)
  end

  @doc """
  The application's deployments, newest first. IEx shows them as a table.

  ## Options

    * `:limit`: how many, 20 unless it is said
    * `:before`: those before the deployment of this number

  ## Examples

      {:ok, history} = Vial.history(limit: 5)
      Enum.map(history, & &1.status)
      #=> [:succeeded, :rolled_back, :superseded]

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.history(app: "shop")
      iex> reason
      :no_socket

  """
  @spec history(keyword) :: {:ok, History.t()} | {:error, Error.t()}
  def history(opts \\ []) do
    opts = check(opts, @common ++ [:limit, :before])
    query = [before: opts[:before], limit: Keyword.get(opts, :limit, 20)]

    with {:ok, app} <- API.app(opts),
         {:ok, deployments} <- API.get(opts, "/deployments", :deployments, query),
         do: {:ok, %History{app: app, deployments: deployments}}
  end

  @doc """
  What a rollback would do, if it were asked for now. Nothing changes.

  ## Options

    * `:to`: go back to the release of this deployment
    * `:cancel`: cancel a deployment in progress first
    * `:migrations`: `:keep` or `:revert`, see `rollback/1`
    * `:force`: go ahead where Vial would ask

  ## Examples

      {:ok, plan} = Vial.plan()
      Enum.map(plan.migrations, & &1.effect)
      #=> [:additive, :destructive]

      iex> System.delete_env("VIAL_APP")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.plan()
      iex> reason
      :no_app

  """
  @spec plan(keyword) :: {:ok, Vial.Plan.t()} | {:error, Error.t()}
  def plan(opts \\ []) do
    opts |> check(@common ++ [:to, :cancel, :migrations, :force]) |> Change.plan()
  end

  @doc """
  Puts the previous release back, or any retained one, and follows it to its end.

  It shows the plan and goes: to call it is to agree. Needs no build, and leaves the database alone
  unless it is told otherwise. Where a destructive migration stands in the way it changes nothing,
  says what the migration did, and names the call that decides:

      Vial.rollback()
      Not rolled back: #11 drops users.name: v1.4.2 does not know it, and may fail on that schema.
      v1.4.3 still serves. Nothing has changed.
      Next: `Vial.rollback(migrations: :revert)` reverts it first (users.name comes back empty);
      `Vial.rollback(migrations: :keep)` leaves the database as it is

  Where it leaves the slot that this node runs in, it says so before it begins. The node is stopped
  when its requests have ended, and the rollback goes on without it. The history names this node and
  the user that it runs as.

  ## Options

    * `:to`: go back to the release of this deployment
    * `:reason`: why, for the history
    * `:migrations`: what shall become of the migrations that the release does not know: `:keep`
      leaves them, `:revert` reverts them before the switch
    * `:force`: go ahead where Vial would ask: keep them where nothing else was said
    * `:cancel`: cancel a deployment in progress first
    * `:quiet`: print nothing
    * `:wait`: `false` returns once it is accepted

  ## Examples

      {:ok, deployment} = Vial.rollback(to: 5, reason: "the checkout answers 500")
      deployment.status
      #=> :succeeded

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, error} = Vial.rollback(app: "shop", quiet: true)
      iex> error.reason
      :no_socket

  """
  @spec rollback(keyword) ::
          {:ok, Vial.Deployment.t() | Vial.Accepted.t()} | {:error, Error.t()}
  def rollback(opts \\ []) do
    opts = check(opts, @following ++ [:to, :reason, :migrations, :force, :cancel])

    rolled_back =
      with {:ok, plan} <- Change.plan(opts) do
        Progress.say(opts, &View.Plan.render(plan, &1))
        Change.rollback(plan, opts, &"Vial.rollback(#{arguments(opts, &1)})")
      end

    shown(rolled_back, "Not rolled back: ", opts)
  end

  @doc """
  Brings a release and makes it active: from its folder, as `mix release` makes it, or from a
  `.tar.gz` of one.

  ## Options

    * `:reason`: why, for the history
    * `:allow_destructive`: go ahead where the release brings a destructive migration. Until the
      switch, the release that serves meets a schema that it does not know.
    * `:quiet`: print nothing
    * `:wait`: `false` returns once the daemon has the release

  ## Examples

      Vial.deploy("_build/prod/rel/shop", reason: "new checkout")

      iex> {:error, error} = Vial.deploy("/nowhere", app: "shop", socket: "/run/x", quiet: true)
      iex> Exception.message(error)
      "/nowhere cannot be read: there is no such file or folder."

  """
  @spec deploy(Path.t(), keyword) ::
          {:ok, Vial.Deployment.t() | Vial.Accepted.t()} | {:error, Error.t()}
  def deploy(path, opts \\ []) do
    opts = check(opts, @following ++ [:reason, :allow_destructive])
    path |> Change.deploy(opts) |> shown("Not deployed: ", opts)
  end

  @doc """
  Cancels the deployment in progress, before it is live. Once it is live, `rollback/1` takes it back.

  ## Examples

      {:ok, accepted} = Vial.cancel()
      accepted.deployment
      #=> 7

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.cancel(app: "shop")
      iex> reason
      :no_socket

  """
  @spec cancel(keyword) :: {:ok, Vial.Accepted.t()} | {:error, Error.t()}
  def cancel(opts \\ []) do
    opts |> check(@common) |> API.post("/cancel", :accepted, %{})
  end

  @doc """
  Starts the active release again, with today's environment. It starts in the idle slot and takes the
  traffic once it is healthy: no request is lost.

  ## Options

    * `:reason`: why, for the history
    * `:in_place`: stop and start in the same slot, with an interruption
    * `:quiet`: print nothing
    * `:wait`: `false` returns once it is accepted

  ## Examples

      Vial.restart(reason: "new DATABASE_URL")

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.restart(app: "shop", quiet: true)
      iex> reason
      :no_socket

  """
  @spec restart(keyword) ::
          {:ok, Vial.Deployment.t() | Vial.Accepted.t()} | {:error, Error.t()}
  def restart(opts \\ []) do
    opts = check(opts, @following ++ [:reason, :in_place])
    opts |> Change.restart() |> shown("Not restarted: ", opts)
  end

  @doc """
  Says what the idle slot shall do from now on, until the next deployment uses it.

    * `:frozen`: its release comes to rest and is stopped. It takes memory and no processor, and a
      rollback to it takes milliseconds.
    * `:warm`: its release runs, without traffic
    * `:cold`: it is stopped

  Where nothing runs in it, the release that a rollback would go to is started for it.

  ## Options

    * `:for`: how long, in milliseconds, one second to 24 hours; as the application's file says where
      it is not given. Then it is stopped.
    * `:quiet`: print nothing

  ## Examples

      Vial.standby(:frozen, for: :timer.hours(2))

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.standby(:warm, app: "shop", quiet: true)
      iex> reason
      :no_socket

  """
  @spec standby(Vial.Standby.mode(), keyword) :: {:ok, Vial.Accepted.t()} | {:error, Error.t()}
  def standby(mode, opts \\ []) do
    opts = check(opts, @common ++ [:for, :quiet])
    mode |> Change.standby(opts) |> shown("Not changed: ", opts)
  end

  @doc """
  The last lines of a slot's log.

  With `follow: true` it prints them, and then what comes, until it is interrupted.

  ## Options

    * `:slot`: `:blue` or `:green`, the active one unless it is said
    * `:lines`: how many, 100 unless it is said
    * `:cursor`: what follows this place instead, the `cursor` of the answer before
    * `:follow`: print it, and go on with what comes

  ## Examples

      {:ok, log} = Vial.logs(slot: :green, lines: 20)
      Enum.map(log.lines, & &1.text)

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.logs(app: "shop")
      iex> reason
      :no_socket

  """
  @spec logs(keyword) :: {:ok, Vial.Log.t()} | {:error, Error.t()}
  def logs(opts \\ []) do
    opts = check(opts, @common ++ [:slot, :lines, :cursor, :follow])
    if opts[:follow], do: Logs.follow(opts), else: Logs.read(opts)
  end

  @doc """
  Tells the calling process of each change: first what the application does now, then every change.

  The caller receives

    * `{:vial, {:app, status}}`: the application's whole `Vial.Status`. Changes that follow fast are
      told as one.
    * `{:vial, {:app_removed, name}}`: it was taken out of the configuration
    * `{:vial, {:lost, error}}`: the connection to the daemon ended. It is tried again until it comes
      back, and then the present status follows.
    * `{:vial, :back}`: it is back
    * `{:vial, {:ended, error}}`: the daemon refused to go on, and nothing follows

  It ends with the calling process, or by `unsubscribe/1`. With `app: :all` it tells of every
  application that this user may see.

  ## Examples

      {:ok, subscription} = Vial.subscribe()

      receive do
        {:vial, {:app, status}} -> status.active
      end
      #=> :green

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.subscribe(app: "shop")
      iex> reason
      :no_socket

  """
  @spec subscribe(keyword) :: {:ok, subscription} | {:error, Error.t()}
  def subscribe(opts \\ []) do
    opts = check(opts, [:app, :socket])
    given = [plain: true] ++ Keyword.take(opts, [:socket])

    if opts[:app] == :all do
      Feed.open(:all, given)
    else
      with {:ok, app} <- API.app(opts), do: Feed.open({:status, app}, given)
    end
  end

  @doc """
  Ends a subscription. Messages that have arrived already stay.

  ## Examples

      {:ok, subscription} = Vial.subscribe()
      Vial.unsubscribe(subscription)
      #=> :ok

  """
  @spec unsubscribe(subscription) :: :ok
  def unsubscribe(subscription), do: Feed.close(subscription)

  @doc """
  Waits for a deployment, named by its number or by what accepted it.

  Returns it where it succeeded, and otherwise why it did not: it failed, was cancelled, was taken
  back, or did not end in time.

  ## Options

    * `:until`: `:ended`, which is after the bake, or `:live`, as soon as its release has the traffic
    * `:timeout`: how long to wait, in milliseconds; without end unless it is said

  ## Examples

      {:ok, accepted} = Vial.deploy("shop-2.0.0.tar.gz", wait: false)
      {:ok, deployment} = Vial.await(accepted, until: :live, timeout: 120_000)

      iex> System.delete_env("VIAL_SOCKET")
      iex> {:error, %Vial.Error{reason: reason}} = Vial.await(7, app: "shop")
      iex> reason
      :no_socket

  """
  @spec await(pos_integer | Vial.Accepted.t() | Vial.Deployment.t(), keyword) ::
          {:ok, Vial.Deployment.t()} | {:error, Error.t()}
  def await(deployment, opts \\ [])

  def await(number, opts) when is_integer(number) do
    opts = check(opts, @common ++ [:until])

    with {:ok, app} <- API.app(opts),
         {:ok, deployment} <- Watch.run(app, number, opts) do
      if Vial.Deployment.live?(deployment),
        do: {:ok, deployment},
        else: View.Outcome.result(app, deployment)
    end
  end

  def await(%Vial.Accepted{deployment: number}, opts) when is_integer(number),
    do: await(number, opts)

  def await(%Vial.Deployment{number: number}, opts), do: await(number, opts)

  @doc """
  Whether this node's slot is the one that works: queues, timers, whatever only one may do at a time.

  It is the active slot, once the release in the other one came to rest: `works` in `status/1`. Always
  true for a node that Vial did not start. A node that Vial started stands by until the daemon has said
  that its slot works; where the daemon goes away later, what it said last holds. Asking costs nothing.

  ## Examples

      iex> Vial.active?()
      true

  """
  @spec active?() :: boolean
  def active?, do: Role.active?()

  @doc """
  Calls back when this node's slot becomes the one that works.

  The callback is a function without arguments, `{module, function, arguments}`, or a module with
  `active/0`. It is called once now if `active?/0`, which it is if Vial did not start this node, and
  then each time that the slot becomes it: after a switch as soon as the other slot came to rest.
  Register it where what it needs has been started: this function returns when the first call has
  ended.

  Callbacks run one after the other, in the order in which they were registered. What one raises is
  logged, and the others run all the same. One that is registered again takes the place of itself.

  ## Options

    * `:timeout`: a call that takes longer is ended, after 30,000 milliseconds unless it is said
    * `:wait`: `false` returns at once
    * `:id`: what makes it the same callback when it is registered again; the callback itself unless
      it is said

  ## Examples

      iex> Vial.on_active(fn -> :persistent_term.put(:shop_queues, :run) end)
      :ok
      iex> :persistent_term.get(:shop_queues)
      :run

  """
  @spec on_active(callback, keyword) :: :ok
  def on_active(callback, opts \\ []), do: Role.register(:active, callback, callback_opts(opts))

  @doc """
  Calls back when this node's slot is not the one that works.

  The callback is a function without arguments, `{module, function, arguments}`, or a module with
  `standby/0`. It is called once now if the slot does not work, as in a release that was just started
  and is being checked, and then each time that the slot loses the traffic. Never where Vial did not
  start this node.

  It stops what only one slot may do, and returns when that has come to its end: the other slot begins
  when every callback has. One that raises, or returns `:error` or `{:error, reason}`, says that it has
  not; then the other slot waits for the time that the application's file allows, and this one is not
  frozen.

  Takes the options of `on_active/2`, and one more. These callbacks run in the opposite order: what was
  registered last is called first.

    * `after: :drain`: it is called only when the requests of the slot have ended and it is about to be
      frozen, and not before: to close what others keep open, for example. It is not called where a
      slot is not frozen.

  ## Examples

      iex> Vial.on_standby(Vial.Oban)
      :ok
      iex> Vial.on_standby({Shop.Sockets, :close, []}, after: :drain)
      :ok

  """
  @spec on_standby(callback, keyword) :: :ok
  def on_standby(callback, opts \\ []),
    do: Role.register(:standby, callback, callback_opts(opts))

  defp callback_opts(opts), do: Keyword.validate!(opts, [:timeout, :wait, :id, :after])

  defp check(opts, keys) do
    opts = Keyword.validate!(opts, keys)

    with {:ok, choice} when choice not in [:keep, :revert, nil] <-
           Keyword.fetch(opts, :migrations) do
      raise ArgumentError, "migrations: is :keep or :revert, got: #{inspect(choice)}"
    end

    opts
  end

  defp shown(answer, lead, opts), do: Change.shown(answer, lead, opts)

  # The call that decides, as it would be typed.
  defp arguments(opts, choice) do
    [app: opts[:app], socket: opts[:socket], to: opts[:to], cancel: opts[:cancel]]
    |> Kernel.++(reason: opts[:reason], migrations: choice)
    |> Enum.reject(fn {_name, value} -> value in [nil, false] end)
    |> Enum.map_join(", ", fn {name, value} -> "#{name}: #{inspect(value)}" end)
  end

  # What is set to nothing counts as not set, as the shell's users mean it.
  defp variable(name) do
    case System.get_env(name) do
      "" -> nil
      value -> value
    end
  end
end
