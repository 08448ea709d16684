defmodule Vial.Look do
  @moduledoc false
  # How things look to this reader: colours, width, and what time it is now.

  alias Vial.Text

  @type tone :: :plain | :bold | :dim | :good | :bad | :warn | :blue
  @type t :: %__MODULE__{
          colour: boolean,
          width: pos_integer | nil,
          now: DateTime.t(),
          zone: :local | :utc
        }

  defstruct [:now, colour: false, width: 80, zone: :local]

  @doc "The look of what is printed to the caller's console."
  @spec console() :: t
  def console do
    width =
      case :io.columns() do
        {:ok, columns} -> columns
        {:error, _} -> nil
      end

    %__MODULE__{colour: IO.ANSI.enabled?(), width: width, now: DateTime.utc_now()}
  end

  @doc "The look of what IEx or `IO.inspect/2` shows."
  @spec inspect(Inspect.Opts.t()) :: t
  def inspect(%Inspect.Opts{width: width, syntax_colors: colours}) do
    width = if is_integer(width), do: width
    %__MODULE__{colour: colours != [], width: width, now: DateTime.utc_now()}
  end

  @doc "Text in a tone. The text must be clean already."
  @spec paint(t, tone, String.t()) :: String.t()
  def paint(%{colour: true}, tone, text) when tone != :plain and text != "",
    do: "\e[#{code(tone)}m#{text}\e[0m"

  def paint(_look, _tone, text), do: text

  defp code(:bold), do: "1"
  defp code(:dim), do: "2"
  defp code(:good), do: "32"
  defp code(:bad), do: "1;31"
  defp code(:warn), do: "33"
  defp code(:blue), do: "34"

  @doc "A time of day; with the date where it was not today."
  @spec clock(t, DateTime.t()) :: String.t()
  def clock(look, at) do
    {then, now} = {local(look, at), local(look, look.now)}

    if NaiveDateTime.to_date(then) == NaiveDateTime.to_date(now),
      do: Calendar.strftime(then, "%H:%M:%S"),
      else: Calendar.strftime(then, "%Y-%m-%d %H:%M:%S")
  end

  @doc "The same in less room: no seconds, and the date without a year if it can be."
  @spec short_clock(t, DateTime.t()) :: String.t()
  def short_clock(look, at) do
    {then, now} = {local(look, at), local(look, look.now)}

    cond do
      NaiveDateTime.to_date(then) == NaiveDateTime.to_date(now) ->
        Calendar.strftime(then, "%H:%M")

      then.year == now.year ->
        Calendar.strftime(then, "%b %d %H:%M")

      true ->
        Calendar.strftime(then, "%Y-%m-%d")
    end
  end

  @doc "How long ago: \"3 m ago\"."
  @spec age(t, DateTime.t()) :: String.t()
  def age(look, at) do
    case DateTime.diff(look.now, at) do
      seconds when seconds <= 0 -> "now"
      seconds -> "#{span(seconds)} ago"
    end
  end

  @doc "A long time in its largest unit: \"45 s\", \"3 m\", \"2 h\", \"4 d\"."
  @spec span(integer) :: String.t()
  def span(seconds) when seconds < 60, do: "#{max(seconds, 0)} s"
  def span(seconds) when seconds < 3_600, do: "#{div(seconds, 60)} m"
  def span(seconds) when seconds < 86_400, do: "#{div(seconds, 3_600)} h"
  def span(seconds), do: "#{div(seconds, 86_400)} d"

  @doc "A duration that is only known about: \"90 ms\", \"0.9 s\", \"1 m 05 s\"."
  @spec about(integer) :: String.t()
  def about(millis) when millis in 100..999, do: "0.#{div(millis, 100)} s"
  def about(millis), do: took(millis)

  @doc "A duration as people say it: \"850 ms\", \"1.6 s\", \"2 m 05 s\", \"1 h 02 m\"."
  @spec took(integer) :: String.t()
  def took(millis) do
    seconds = div(millis, 1000)

    cond do
      millis < 1_000 -> "#{max(millis, 0)} ms"
      millis < 60_000 -> "#{seconds}.#{div(rem(millis, 1000), 100)} s"
      millis < 3_600_000 -> "#{div(seconds, 60)} m #{two(rem(seconds, 60))} s"
      true -> "#{div(seconds, 3600)} h #{two(div(rem(seconds, 3600), 60))} m"
    end
  end

  @doc "The milliseconds between two instants, never less than none."
  @spec millis(DateTime.t(), DateTime.t()) :: non_neg_integer
  def millis(from, to), do: max(DateTime.diff(to, from, :millisecond), 0)

  @doc "The tone of a deployment's status."
  @spec status_tone(Vial.Deployment.status()) :: tone
  def status_tone(:succeeded), do: :good
  def status_tone(:failed), do: :bad
  def status_tone(:superseded), do: :dim
  def status_tone(live) when live in [:draining, :baking], do: :good
  def status_tone(_other), do: :warn

  @doc "The tone of a slot's name."
  @spec slot_tone(Vial.slot()) :: tone
  def slot_tone(:blue), do: :blue
  def slot_tone(_green), do: :good

  @doc "How many columns clean text takes."
  @spec width(String.t()) :: non_neg_integer
  def width(text),
    do: text |> String.graphemes() |> Enum.reduce(0, fn grapheme, sum -> sum + wide(grapheme) end)

  @doc "Text that takes at most `columns`, cut with \"…\" where it is longer."
  @spec cut(String.t(), non_neg_integer) :: String.t()
  def cut(_text, 0), do: ""

  def cut(text, columns) do
    if width(text) <= columns, do: text, else: cut(String.graphemes(text), columns - 1, "")
  end

  defp cut([grapheme | rest], room, kept) do
    case wide(grapheme) do
      wide when wide > room -> kept <> "…"
      wide -> cut(rest, room - wide, kept <> grapheme)
    end
  end

  defp cut([], _room, kept), do: kept

  @doc "A release as people name it: `v1.4.2`."
  @spec label(Vial.Release.t() | nil) :: String.t()
  def label(nil), do: "no release yet"
  def label(release), do: "v" <> Text.word(release.version)

  defp wide(<<c::utf8, _::binary>>)
       when c in 0x1100..0x115F or c in 0x2E80..0xA4CF or c in 0xAC00..0xD7A3 or
              c in 0xF900..0xFAFF or c in 0xFE30..0xFE6F or c in 0xFF00..0xFF60 or
              c in 0xFFE0..0xFFE6 or c in 0x1F300..0x1F64F or c in 0x1F900..0x1F9FF or
              c in 0x20000..0x3FFFD,
       do: 2

  defp wide(_grapheme), do: 1

  defp local(%{zone: :utc}, at), do: DateTime.to_naive(at)

  defp local(%{zone: :local}, at) do
    at
    |> DateTime.to_naive()
    |> NaiveDateTime.to_erl()
    |> :calendar.universal_time_to_local_time()
    |> NaiveDateTime.from_erl!()
  end

  defp two(number), do: number |> Integer.to_string() |> String.pad_leading(2, "0")
end
