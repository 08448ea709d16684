defmodule VialTest do
  # The environment is the whole node's.
  use ExUnit.Case, async: false

  @variables ["VIAL_APP", "VIAL_SLOT", "VIAL_SOCKET"]

  setup do
    before = Map.new(@variables, &{&1, System.get_env(&1)})
    Enum.each(@variables, &System.delete_env/1)
    on_exit(fn -> System.put_env(before) end)
  end

  doctest Vial

  test "a node that Vial did not start has no app, no slot and no socket" do
    assert {Vial.app(), Vial.slot(), Vial.socket(), Vial.slot?()} == {nil, nil, nil, false}
  end

  test "a node that Vial started knows its place" do
    System.put_env(%{
      "VIAL_APP" => "shop",
      "VIAL_SLOT" => "blue",
      "VIAL_SOCKET" => "/run/vial/vial.sock"
    })

    assert {Vial.app(), Vial.slot(), Vial.socket(), Vial.slot?()} ==
             {"shop", :blue, "/run/vial/vial.sock", true}
  end

  test "a variable that is set to nothing is not set" do
    System.put_env(%{"VIAL_APP" => "", "VIAL_SLOT" => ""})
    assert {Vial.app(), Vial.slot()} == {nil, nil}
  end

  test "a slot that does not exist is refused by name" do
    System.put_env("VIAL_SLOT", "red")
    assert_raise ArgumentError, ~s(VIAL_SLOT must be blue or green, got: "red"), &Vial.slot/0
  end
end
