defmodule Shop.FaultTest do
  use ExUnit.Case, async: true
  alias Shop.Fault

  test "the good version is healthy and has a home page" do
    assert {Fault.health_status(:none), Fault.home_status(:none)} == {200, 200}
  end

  test "a broken home page is not seen by the health check" do
    assert {Fault.health_status(:broken_home), Fault.home_status(:broken_home)} == {200, 500}
  end

  test "the one that never becomes healthy says so" do
    assert Fault.health_status(:never_healthy) == 503
  end

  test "the one that falls sick is healthy first" do
    System.put_env("SHOP_SICK_AFTER_MS", "3600000")
    assert {Fault.health_status(:falls_sick), Fault.home_status(:falls_sick)} == {200, 200}
    System.put_env("SHOP_SICK_AFTER_MS", "0")
    assert {Fault.health_status(:falls_sick), Fault.home_status(:falls_sick)} == {503, 500}
  after
    System.delete_env("SHOP_SICK_AFTER_MS")
  end
end
