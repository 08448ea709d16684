defmodule Vial.LookTest do
  use ExUnit.Case, async: true

  import Vial.Samples, only: [look: 0, look: 1]

  alias Vial.Look

  test "durations read as people say them" do
    for {millis, text} <- [
          {-5, "0 ms"},
          {999, "999 ms"},
          {1_640, "1.6 s"},
          {59_999, "59.9 s"},
          {125_000, "2 m 05 s"},
          {3_720_000, "1 h 02 m"}
        ] do
      assert Look.took(millis) == text
    end
  end

  test "times are short where they can be" do
    assert Look.clock(look(), ~U[2026-03-01 03:12:07Z]) == "03:12:07"
    assert Look.clock(look(), ~U[2026-02-28 23:59:59Z]) == "2026-02-28 23:59:59"
    assert Look.short_clock(look(), ~U[2026-03-01 03:12:07Z]) == "03:12"
    assert Look.short_clock(look(), ~U[2026-02-28 23:59:59Z]) == "Feb 28 23:59"
    assert Look.short_clock(look(), ~U[2025-02-28 23:59:59Z]) == "2025-02-28"
    assert Look.age(look(), ~U[2026-03-01 03:12:07Z]) == "2 m ago"
    assert Look.age(look(), ~U[2026-03-01 03:15:09Z]) == "now"
    assert Look.age(look(), ~U[2026-02-20 03:15:00Z]) == "9 d ago"
  end

  test "a cut never takes more columns than there are" do
    assert Look.cut("shop", 4) == "shop"
    assert Look.cut("shopping", 4) == "sho…"
    assert Look.cut("漢字漢字", 4) == "漢…"
    assert Look.cut("shop", 0) == ""
    for columns <- 0..12, do: assert(Look.width(Look.cut("a漢bé字 long text", columns)) <= columns)
  end

  test "there are colours only where the console has them" do
    assert Look.paint(look(), :bad, "no") == "no"
    assert Look.paint(look(colour: true), :bad, "no") == "\e[1;31mno\e[0m"
    assert Look.inspect(%Inspect.Opts{}).colour == false
    assert Look.inspect(%Inspect.Opts{syntax_colors: [atom: :cyan]}).colour
  end
end
