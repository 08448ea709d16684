defmodule Shop.Fault do
  @moduledoc """
  What is wrong with this version.

  | version | fault | what happens |
  |---|---|---|
  | 1, 2 | `:none` | good |
  | 3 | `:broken_home` | `/` answers 500 while `/health` stays 200 |
  | 4 | `:never_healthy` | `/health` answers 503 for ever |
  | 5 | `:exits_at_start` | prints why and exits with status 1 |
  | 6 | `:ignores_sigterm` | goes on after SIGTERM |
  | 7 | `:falls_sick` | after `SHOP_SICK_AFTER_MS` (3000) `/health` answers 503 and `/` 500 |
  | 8 and above | `:none` | what is wrong, if anything, is between code and schema: `Shop.Catalog` |

  Any version also obeys `SHOP_START_DELAY_MS` (sleeps before it listens) and
  `SHOP_CRASH_AFTER_MS` (halts with status 1).
  """

  @variant Application.compile_env!(:shop, :variant)
  @fault Map.get(
           %{
             3 => :broken_home,
             4 => :never_healthy,
             5 => :exits_at_start,
             6 => :ignores_sigterm,
             7 => :falls_sick
           },
           @variant,
           :none
         )

  @version "#{@variant}.0.0"

  @doc "The version that was chosen when this was compiled."
  def version, do: @version

  @doc "Runs before anything else of the application."
  def before_start(fault \\ @fault) do
    :persistent_term.put({__MODULE__, :started_at}, now_ms())
    crash_later(env_ms("SHOP_CRASH_AFTER_MS", nil))
    begin(fault)
    Process.sleep(env_ms("SHOP_START_DELAY_MS", 0))
  end

  @doc "The status of `/health`."
  def health_status(fault \\ @fault)
  def health_status(:never_healthy), do: 503
  def health_status(:falls_sick), do: if(sick?(), do: 503, else: 200)
  def health_status(_), do: 200

  @doc "The status of `/`."
  def home_status(fault \\ @fault)
  def home_status(:broken_home), do: 500
  def home_status(:falls_sick), do: if(sick?(), do: 500, else: 200)
  def home_status(_), do: 200

  defp begin(:exits_at_start) do
    IO.puts(:stderr, "could not connect to the payment gateway: econnrefused")
    System.halt(1)
  end

  defp begin(:ignores_sigterm), do: :os.set_signal(:sigterm, :ignore)
  defp begin(_), do: :ok

  defp crash_later(nil), do: :ok

  defp crash_later(ms) do
    {:ok, _} =
      :timer.apply_after(ms, __MODULE__, :crash, ["crashed after #{ms} ms, as it was told to"])
  end

  @doc false
  def crash(message) do
    IO.puts(:stderr, message)
    System.halt(1)
  end

  defp sick? do
    started_at = :persistent_term.get({__MODULE__, :started_at})
    now_ms() - started_at >= env_ms("SHOP_SICK_AFTER_MS", 3000)
  end

  defp env_ms(name, default) do
    case System.get_env(name) do
      nil -> default
      text -> String.to_integer(text)
    end
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
end
