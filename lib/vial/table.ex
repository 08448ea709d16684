defmodule Vial.Table do
  @moduledoc false
  # Aligned columns that fit the console.
  #
  # A cell is clean text, or `{text, tone}`. Columns whose title ends in "…" give way first where
  # there is too little room, and those whose title starts with a space stand to the right. Columns
  # without any text are left out.

  alias Vial.Look

  @gap 2
  # Below this a column says too little to be worth having.
  @narrowest 6

  @type cell :: String.t() | {String.t(), Look.tone()}

  @doc "The table as lines, each behind `indent`."
  @spec render([String.t()], [[cell]], Look.t(), String.t()) :: String.t()
  def render(titles, rows, look, indent \\ "") do
    rows = Enum.map(rows, fn row -> Enum.map(row, &cell/1) end)

    columns =
      [titles | rows]
      |> Enum.zip_with(fn [title | cells] -> {title, cells} end)
      |> Enum.reject(fn {_title, cells} -> Enum.all?(cells, &match?({"", _tone}, &1)) end)

    widths = widths(columns, look.width && max(look.width - String.length(indent), 1))
    heads = Enum.map(columns, fn {title, _cells} -> {plain(title), :dim} end)
    lines = Enum.zip_with(Enum.map(columns, &elem(&1, 1)), & &1)
    rights = Enum.map(columns, fn {title, _cells} -> String.starts_with?(title, " ") end)

    Enum.map_join([heads | lines], fn line ->
      indent <> row(Enum.zip([line, widths, rights]), look) <> "\n"
    end)
  end

  # Spaces are owed and paid before the next text, so that no line ends in them.
  defp row(cells, look) do
    {shown, _owed} =
      Enum.reduce(cells, {"", 0}, fn {{text, tone}, width, right?}, {shown, owed} ->
        text = Look.cut(text, width)
        room = width - Look.width(text)
        {before, behind} = if right?, do: {room, 0}, else: {0, room}

        if text == "" do
          {shown, owed + before + behind + @gap}
        else
          spaces = String.duplicate(" ", owed + before)
          {shown <> spaces <> Look.paint(look, tone, text), behind + @gap}
        end
      end)

    shown
  end

  defp widths(columns, room) do
    widths =
      Enum.map(columns, fn {title, cells} ->
        Enum.reduce(cells, Look.width(plain(title)), fn {text, _tone}, widest ->
          max(widest, Look.width(text))
        end)
      end)

    soft = Enum.map(columns, fn {title, _cells} -> String.ends_with?(title, "…") end)
    every = Enum.map(columns, fn _column -> true end)

    if room, do: widths |> shrink(soft, room) |> shrink(every, room), else: widths
  end

  defp shrink(widths, may, room) do
    taken = Enum.sum(widths) + @gap * max(length(widths) - 1, 0)

    widest =
      [widths, may]
      |> Enum.zip()
      |> Enum.filter(fn {width, may?} -> may? and width > @narrowest end)
      |> Enum.map(&elem(&1, 0))
      |> Enum.max(fn -> nil end)

    if taken > room and widest do
      at = Enum.find_index(Enum.zip(widths, may), &(&1 == {widest, true}))
      widths |> List.update_at(at, &(&1 - 1)) |> shrink(may, room)
    else
      widths
    end
  end

  defp plain(title), do: title |> String.trim_leading(" ") |> String.trim_trailing("…")

  defp cell({text, tone}), do: {text, tone}
  defp cell(nil), do: {"", :plain}
  defp cell(text) when is_binary(text), do: {text, :plain}
end
