defmodule Vial.TableTest do
  use ExUnit.Case, async: true

  import Vial.Samples, only: [look: 0, look: 1]

  alias Vial.{Look, Table}

  test "columns line up and empty ones are left out" do
    rows = [["shop", "4000", nil, "good"], ["漢字-app", "80", "", nil]]

    assert Table.render(["App", " Port", "Nothing", "Note…"], rows, look()) ==
             "App       Port  Note\nshop      4000  good\n漢字-app    80\n"
  end

  test "soft columns give way first and then all" do
    rows = [["a-name-of-20-letters", "because of the checkout"]]

    assert Table.render(["App", "Reason…"], rows, look(width: 30)) ==
             "App                   Reason\na-name-of-20-letters  because…\n"

    narrow = Table.render(["App", "Reason…"], rows, look(width: 20), "  ")
    for line <- String.split(narrow, "\n"), do: assert(Look.width(line) <= 20)
  end

  test "without a width nothing is cut" do
    long = String.duplicate("x", 500)
    assert Table.render(["Reason…"], [[long]], look(width: nil)) =~ long
  end
end
