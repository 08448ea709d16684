defmodule Vial.Text do
  @moduledoc false
  # What others wrote, made fit for a terminal.
  #
  # Names and versions in an archive, log lines, script output and reasons may hold any byte. A
  # terminal obeys some of them: it can be told to move the cursor over what was printed before, to
  # change its title, to answer as if someone typed. Only text and colours get through here.

  @doc "One line of text. Colours stay where `colour?` says so, and end with the line."
  @spec line(String.t() | nil, boolean) :: String.t()
  def line(text, colour? \\ false)
  def line(nil, _colour?), do: ""

  def line(text, colour?) do
    {kept, coloured?} = text(text, colour?, [], false)
    IO.iodata_to_binary([Enum.reverse(kept), if(coloured?, do: "\e[0m", else: "")])
  end

  @doc "A name, version or other word inside a sentence or a table: no colours, no tabs."
  @spec word(term) :: String.t()
  def word(text) when is_binary(text), do: text |> line(false) |> String.replace("\t", " ")
  def word(nil), do: ""
  def word(other), do: word(to_string(other))

  @doc "Text of many lines, each as `line/2` makes it."
  @spec block(String.t() | nil, boolean) :: String.t()
  def block(text, colour? \\ false)
  def block(nil, _colour?), do: ""

  def block(text, colour?) do
    text
    |> String.trim_trailing("\n")
    |> String.split(["\r\n", "\n"])
    |> Enum.map_join("\n", &line(&1, colour?))
  end

  defp text("", _colour?, kept, coloured?), do: {kept, coloured?}

  defp text("\e[" <> rest, colour?, kept, coloured?) do
    case sequence(rest, "") do
      {params, "m", rest} when colour? ->
        case colours(params) do
          "" -> text(rest, colour?, kept, coloured?)
          codes -> text(rest, colour?, ["\e[#{codes}m" | kept], true)
        end

      {_params, _final, rest} ->
        text(rest, colour?, kept, coloured?)
    end
  end

  # Strings for the terminal: its title, the clipboard, a link. They end with ST, a title also with
  # BEL; one that never ends takes the rest of the line with it.
  defp text(<<"\e", kind, rest::binary>>, colour?, kept, coloured?) when kind in ']PX^_' do
    text(after_string(rest, kind == ?]), colour?, kept, coloured?)
  end

  defp text("\e" <> rest, colour?, kept, coloured?) do
    text(after_escape(rest), colour?, kept, coloured?)
  end

  defp text("\t" <> rest, colour?, kept, coloured?),
    do: text(rest, colour?, ["\t" | kept], coloured?)

  defp text("\n" <> rest, colour?, kept, coloured?),
    do: text(rest, colour?, [" " | kept], coloured?)

  defp text(<<c::utf8, rest::binary>>, colour?, kept, coloured?) do
    if control?(c) or invisible?(c),
      do: text(rest, colour?, kept, coloured?),
      else: text(rest, colour?, [<<c::utf8>> | kept], coloured?)
  end

  defp text(<<_, rest::binary>>, colour?, kept, coloured?),
    do: text(rest, colour?, ["\uFFFD" | kept], coloured?)

  # The parameters of a control sequence, and its last byte; whatever cannot be in one cuts it off.
  defp sequence(<<c, rest::binary>>, params) when c in 0x20..0x3F,
    do: sequence(rest, <<params::binary, c>>)

  defp sequence(<<c, rest::binary>>, params) when c in 0x40..0x7E, do: {params, <<c>>, rest}
  defp sequence(rest, params), do: {params, "", rest}

  defp after_escape(<<c, rest::binary>>) when c in 0x20..0x2F, do: after_escape(rest)
  defp after_escape(<<c, rest::binary>>) when c in 0x30..0x7E, do: rest
  defp after_escape(rest), do: rest

  defp after_string("", _bell?), do: ""
  defp after_string("\e\\" <> rest, _bell?), do: rest
  defp after_string("\a" <> rest, true), do: rest
  defp after_string(<<_, rest::binary>>, bell?), do: after_string(rest, bell?)

  # What colours, emboldens or underlines, or ends such; what blinks or conceals is left out.
  @plain Enum.concat([0..4, [7], 21..24, [27], 30..37, 39..47, [49], 90..97, 100..107])

  defp colours(""), do: "0"

  defp colours(params) do
    if params =~ ~r/\A[0-9;]*\z/ do
      params |> String.split(";") |> Enum.map(&number/1) |> keep([]) |> Enum.join(";")
    else
      ""
    end
  end

  defp keep([ground, 5, n | rest], kept) when ground in [38, 48] and n in 0..255,
    do: keep(rest, [n, 5, ground | kept])

  defp keep([ground, 2, r, g, b | rest], kept)
       when ground in [38, 48] and r in 0..255 and g in 0..255 and b in 0..255,
       do: keep(rest, [b, g, r, 2, ground | kept])

  defp keep([ground | _], kept) when ground in [38, 48], do: Enum.reverse(kept)
  defp keep([code | rest], kept) when code in @plain, do: keep(rest, [code | kept])
  defp keep([_ | rest], kept), do: keep(rest, kept)
  defp keep([], kept), do: Enum.reverse(kept)

  defp number(""), do: 0
  defp number(digits), do: String.to_integer(digits)

  defp control?(c), do: c < 0x20 or c in 0x7F..0x9F

  # Marks that reorder or hide text around them, so that a line reads as something else.
  defp invisible?(c) do
    c in [0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF] or c in 0x2028..0x202E or c in 0x2060..0x206F or
      c in 0xFFF9..0xFFFB or c in 0xE0000..0xE007F
  end
end
