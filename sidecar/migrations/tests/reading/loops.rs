//! Loops and functions as values.

use crate::support::*;

#[test]
fn loops_over_known_lists_are_unrolled() {
    let does = ["drops the table a", "drops the table b"];
    for body in [
        "for table <- [:a, :b], do: drop(table(table))",
        "for table <- ~w(a b)a do\n  drop table(table)\nend",
        "Enum.each([:a, :b], fn table -> drop table(table) end)",
        "Enum.each(~w[a b], &drop(table(&1)))",
        "[:a, :b] |> Enum.map(&table/1) |> Enum.each(&drop/1)",
        "tables = [:a] ++ [:b]\nfor t <- tables, t != :c, do: t |> table() |> drop()",
        "for {table, _} <- [a: 1, b: 2], do: drop_if_exists(table(table))",
        "for {table, _} <- %{a: 1, b: 2}, do: drop(table(table))",
        "for x <- [\"a\", \"b\"], name = String.to_atom(x), do: drop(table(name))",
        "f = fn table -> drop table(table) end\nf.(:a)\nf.(:b)",
    ] {
        change(body, Destructive, Irreversible, &does, &[]);
    }
}

#[test]
fn loops_in_one_another_take_every_pair() {
    change(
        "
    for table <- [:users, :carts], column <- [:a, :b], {table, column} != {:carts, :b} do
      alter table(table) do
        add column, :string
      end
    end",
        Additive,
        Reversible,
        &["adds users.a", "adds users.b", "adds carts.a"],
        &[
            "carts.a is dropped with its values",
            "users.b is dropped with its values",
            "users.a is dropped with its values",
        ],
    );
}

#[test]
fn a_loop_over_what_cannot_be_read_is_read_once_and_in_doubt() {
    change(
        "
    for schema <- Application.get_env(:shop, :tenants) do
      alter table(:users, prefix: schema) do
        remove :name
      end
    end",
        Destructive,
        UNCLEAR,
        &["drops users.name, under a condition"],
        &[],
    );
    change(
        "Enum.each(tenants(), fn schema -> create table(schema) end)",
        Unknown,
        UNCLEAR,
        &[
            "calls tenants, which Vial cannot read",
            "creates a table whose name Vial cannot read, under a condition",
        ],
        &[
            "a table whose name Vial cannot read is dropped with what is in it",
            "going down, it calls tenants, which Vial cannot read",
        ],
    );
}

#[test]
fn the_longest_lists_are_bounded_and_say_how_many_are_left_out() {
    let body = "for n <- ~w(a b c d e f g h i j k l m n o p q r s t u v w x y z)a do
      drop table(n)
    end";
    let names: Vec<_> = ('a'..='t').map(|it| format!("drops the table {it}")).collect();
    let mut does: Vec<_> = names.iter().map(String::as_str).collect();
    does.push("and 6 more");
    change(body, Destructive, Irreversible, &does, &[]);
}
