defmodule Vial.TextTest do
  use ExUnit.Case, async: true

  alias Vial.Text

  @cases [
    {"plain text", "plain text"},
    {"tab\tstays", "tab\tstays"},
    {"\e[31mred\e[0m", "\e[31mred\e[0m\e[0m"},
    {"\e[1;38;5;208morange", "\e[1;38;5;208morange\e[0m"},
    {"\e[38;2;1;2;3mrgb", "\e[38;2;1;2;3mrgb\e[0m"},
    {"\e[mreset", "\e[0mreset\e[0m"},
    {"\e[8mhidden\e[5m", "hidden"},
    {"\e[31;8mred", "\e[31mred\e[0m"},
    {"\e[38;5mhalf", "half"},
    {"\e[38;7;1mwrong", "wrong"},
    {"\e]0;title\aafter", "after"},
    {"\e]8;;http://x\e\\link\e]8;;\e\\", "link"},
    {"\e]52;c;aGk=\a", ""},
    {"before\e]0;never ends", "before"},
    {"a\e[2J\e[H\e[1A\e[10Gb", "ab"},
    {"a\e[?1049h\e[?25lb", "ab"},
    {"\e[6n\e[c\e[>c\e[21t", ""},
    {"\e[?1m private", " private"},
    {"a\eP+q544e\e\\b", "ab"},
    {"a\e_apc\e\\b\e^pm\e\\c\eXsos\e\\d", "abcd"},
    {"\ec\e7\e8\e(0x\eNy", "xy"},
    {"a\u{9b}31mb\u{9d}0;t\u{9c}", "a31mb0;t"},
    {"rm -rf /\rls\b\bok\x7f\0\a", "rm -rf /lsok"},
    {"two\nlines\r\n", "two lines "},
    {"user\u{202e}txt.exe\u{2066}", "usertxt.exe"},
    {"zero\u{200b}width\u{feff}", "zerowidth"},
    {"cut\e[3", "cut"},
    {"cut\e", "cut"},
    {<<"bad ", 0xFF, " byte">>, "bad \uFFFD byte"},
    {"héllo ✓ 漢字", "héllo ✓ 漢字"}
  ]

  test "only text and colours reach a terminal" do
    for {dirty, clean} <- @cases, do: assert({dirty, Text.line(dirty, true)} == {dirty, clean})
  end

  test "without colour no escape is left" do
    for {dirty, _clean} <- @cases, do: refute(Text.line(dirty) =~ ~r/[\e\a\r\x7f]/)
    assert Text.word("v1\t\e[31m2") == "v1 2"
  end

  test "a colour ends with its line" do
    assert Text.block("\e[31ma\nb\e]0;\nc\n", true) == "\e[31ma\e[0m\nb\nc"
  end

  test "no control survives whatever bytes come" do
    :rand.seed(:exsss, {1, 2, 3})
    pieces = ["\e[", "\e]", "\eP", "\e\\", "m", "31", ";", "漢", "\u{9b}", <<0xC3>>, "\n", "x"]

    for _ <- 1..2_000 do
      dirty = for _ <- 1..12, into: "", do: Enum.random(pieces ++ [<<:rand.uniform(255)>>])
      clean = Text.line(dirty)
      assert String.valid?(clean)
      refute clean =~ ~r/[\x00-\x08\x0a-\x1f\x7f]/, inspect(dirty)
      assert Text.line(clean) == clean
    end
  end
end
