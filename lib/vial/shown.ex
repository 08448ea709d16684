defmodule Vial.Shown do
  @moduledoc false
  # How structs look in IEx: a sentence that is broken between words where the line ends, or lines
  # as they are.

  import Inspect.Algebra

  @doc "`#Name<a sentence>`."
  @spec sentence(String.t(), String.t(), Inspect.Opts.t()) :: Inspect.Algebra.t()
  def sentence(name, text, opts) do
    [first | words] = String.split("##{name}<#{text}>", " ")
    words = Enum.map(words, &[flex_break(" "), color(&1, :default, opts)])

    [first | words] |> List.flatten() |> concat() |> nest(2) |> group()
  end

  @doc "Lines of text that must not be broken; what is around them starts a line of its own."
  @spec lines(String.t()) :: Inspect.Algebra.t()
  def lines(text) do
    text
    |> String.trim_trailing("\n")
    |> String.split("\n")
    |> Enum.intersperse(line())
    |> concat()
    |> force_unfit()
  end
end
