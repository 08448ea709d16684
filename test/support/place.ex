defmodule Vial.Place do
  @moduledoc false
  # Makes this node one that Vial started, or one that it did not, for as long as a test runs.

  @variables ["VIAL_APP", "VIAL_SLOT", "VIAL_SOCKET", "VIAL_RUN"]

  def nowhere, do: put(%{})

  def put(variables) do
    before = Map.new(@variables, &{&1, System.get_env(&1)})
    Enum.each(@variables, &System.delete_env/1)
    System.put_env(variables)

    ExUnit.Callbacks.on_exit(fn -> System.put_env(before) end)
  end

  # As the daemon starts a release: with a name for this start.
  def in_run(slot, run),
    do:
      put(%{
        "VIAL_APP" => "shop",
        "VIAL_SLOT" => slot,
        "VIAL_SOCKET" => "/run/vial/vial.sock",
        "VIAL_RUN" => run
      })

  def in_slot(slot),
    do: put(%{"VIAL_APP" => "shop", "VIAL_SLOT" => slot, "VIAL_SOCKET" => "/run/vial/vial.sock"})
end
