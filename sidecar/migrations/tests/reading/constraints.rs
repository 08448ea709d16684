//! Indexes and constraints.

use crate::support::*;

#[test]
fn an_index_is_additive() {
    change(
        "
    create index(:users, [:email, :org_id])
    create index(\"users\", [\"lower(email)\"], name: :users_lower_email)
    create_if_not_exists index(:users, [:org_id], where: \"org_id IS NOT NULL\")
    create index(:events, [desc: :inserted_at])",
        Additive,
        Reversible,
        &[
            "adds an index on users (email, org_id)",
            "adds an index on users (lower(email))",
            "adds an index on users (org_id)",
            "adds an index on events (inserted_at)",
        ],
        &[],
    );
}

#[test]
fn an_index_built_concurrently_is_read_with_its_attributes() {
    functions(
        "
  @disable_ddl_transaction true
  @disable_migration_lock true

  def change do
    create index(:users, [:email], concurrently: true)
  end",
        Additive,
        Reversible,
        &["adds an index on users (email)"],
        &[],
    );
}

#[test]
fn a_unique_index_on_a_table_that_is_there_is_destructive() {
    for index in [
        "unique_index(:users, [:email])",
        "index(:users, [:email], unique: true)",
        "unique_index(:users, :email, where: \"deleted_at IS NULL\", nulls_distinct: false)",
    ] {
        change(
            &format!("create {index}"),
            Destructive,
            Reversible,
            &["adds a unique index on users (email)"],
            &[],
        );
    }
}

#[test]
fn a_dropped_index_may_have_been_unique_unless_its_method_cannot_be() {
    change(
        "drop index(:users, [:email])",
        Unknown,
        Reversible,
        &["drops the index on users (email), which may have been unique"],
        &[],
    );
    change(
        "drop_if_exists index(:posts, [:tags], using: :gin)",
        Additive,
        Reversible,
        &["drops the index on posts (tags)"],
        &[],
    );
}

#[test]
fn a_dropped_unique_index_may_not_come_back() {
    change(
        "drop unique_index(:users, [:email])",
        Unknown,
        Reversible,
        &["drops the unique index on users (email)"],
        &["the unique index on users (email) comes back only where no two rows are alike in it"],
    );
}

#[test]
fn an_index_dropped_by_its_name_alone_cannot_be_made_again() {
    change(
        "drop index(:users, [], name: :users_old)",
        Unknown,
        UNCLEAR,
        &["drops the index on users, which may have been unique"],
        &[],
    );
}

#[test]
fn a_renamed_index_is_unknown_because_violations_are_known_by_its_name() {
    change(
        "rename index(:people, [:name], name: \"persons_name_index\"), to: \"people_name_index\"",
        Unknown,
        Reversible,
        &["renames the index persons_name_index to people_name_index"],
        &[],
    );
}

#[test]
fn a_constraint_is_destructive_also_where_it_is_not_validated() {
    for options in ["check: \"price > 0\"", "check: \"price > 0\", validate: false"] {
        change(
            &format!("create constraint(:products, :price_is_positive, {options})"),
            Destructive,
            Reversible,
            &["adds the constraint price_is_positive on products"],
            &[],
        );
    }
    change(
        "create constraint(\"rooms\", :no_overlap, exclude: ~s|gist (during WITH &&)|)",
        Destructive,
        Reversible,
        &["adds the constraint no_overlap on rooms"],
        &[],
    );
}

#[test]
fn a_dropped_constraint_is_additive_unless_it_is_a_key_and_ecto_cannot_turn_it_round() {
    change(
        "drop constraint(:products, \"price_is_positive\")",
        Additive,
        Irreversible,
        &["drops the constraint price_is_positive on products"],
        &[],
    );
    change(
        "drop_if_exists constraint(:products, \"products_pkey\")",
        Unknown,
        Irreversible,
        &["drops the constraint products_pkey on products"],
        &[],
    );
}

#[test]
fn a_constraint_that_down_makes_again_may_be_refused() {
    functions(
        "
  def up, do: drop(constraint(:products, :price_is_positive))
  def down, do: create(constraint(:products, :price_is_positive, check: \"price > 0\"))",
        Additive,
        Reversible,
        &["drops the constraint price_is_positive on products"],
        &["the constraint price_is_positive on products comes back only where every row meets it"],
    );
}

#[test]
fn an_index_that_is_replaced_is_read_twice() {
    change(
        "
    drop unique_index(:users, [:email])
    create unique_index(:users, [:email, :org_id])",
        Destructive,
        Reversible,
        &[
            "adds a unique index on users (email, org_id)",
            "drops the unique index on users (email)",
        ],
        &["the unique index on users (email) comes back only where no two rows are alike in it"],
    );
}
