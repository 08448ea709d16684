//! Columns that are modified.

use crate::support::*;

#[test]
fn another_type_is_destructive() {
    change(
        "alter table(:orders) do\nmodify :total, :decimal\nend",
        Destructive,
        Irreversible,
        &["changes the type of orders.total to decimal"],
        &[],
    );
    change(
        "
    alter table(:orders) do
      modify :total, :decimal, precision: 12, scale: 2, from: :integer
    end",
        Destructive,
        Reversible,
        &["changes the type of orders.total from integer to decimal(12,2)"],
        &["orders.total goes back to integer, which fails or cuts where a value does not fit"],
    );
    change(
        "alter table(:posts) do\nmodify :tags, {:array, :string}, from: :string\nend",
        Destructive,
        Reversible,
        &["changes the type of posts.tags from string to array of string"],
        &["posts.tags goes back to string, which fails or cuts where a value does not fit"],
    );
}

#[test]
fn a_type_that_takes_all_it_took_before_is_additive_where_the_old_one_is_given() {
    change(
        "alter table(:posts) do\nmodify :title, :text, from: :string\nend",
        Additive,
        Reversible,
        &["widens posts.title from string to text"],
        &["posts.title goes back to string, which fails or cuts where a value does not fit"],
    );
    change(
        "alter table(:posts) do\nmodify :views, :bigint, null: false, from: {:integer, null: false}\nend",
        Additive,
        Reversible,
        &["widens posts.views from integer to bigint"],
        &["posts.views goes back to integer, which fails or cuts where a value does not fit"],
    );
    change(
        "alter table(:posts) do\nmodify :title, :text\nend",
        Destructive,
        Irreversible,
        &["changes the type of posts.title to text"],
        &[],
    );
}

#[test]
fn a_narrower_type_is_destructive() {
    change(
        "alter table(:posts) do\nmodify :title, :string, size: 80, from: {:string, size: 120}\nend",
        Destructive,
        Reversible,
        &["changes the type of posts.title from string(120) to string(80)"],
        &[],
    );
}

#[test]
fn forbidding_null_is_destructive_and_allowing_it_is_not() {
    change(
        "alter table(:users) do\nmodify :email, :string, null: false\nend",
        Destructive,
        Irreversible,
        &["forbids null in users.email"],
        &[],
    );
    change(
        "alter table(:users) do\nmodify :email, :string, null: false, from: {:string, null: true}\nend",
        Destructive,
        Reversible,
        &["forbids null in users.email"],
        &[],
    );
    change(
        "alter table(:users) do\nmodify(:email, :string, null: true, from: {:string, null: false})\nend",
        Additive,
        Reversible,
        &["allows null in users.email"],
        &["users.email forbids null again, which fails where it is null"],
    );
}

#[test]
fn without_the_old_type_it_cannot_be_told_whether_only_an_option_changes() {
    change(
        "alter table(:users) do\nmodify :email, :string, null: true\nend",
        Unknown,
        Irreversible,
        &["modifies users.email"],
        &[],
    );
    functions(
        "
  def up do
    alter table(:users) do
      modify :role, :string, default: \"guest\"
    end
  end

  def down do
    alter table(:users) do
      modify :role, :string, default: nil
    end
  end",
        Unknown,
        Reversible,
        &["modifies users.role"],
        &["users.role is modified again, which may fail"],
    );
}

#[test]
fn becoming_a_reference_is_a_constraint() {
    change(
        "alter table(:posts) do\nmodify :author_id, references(:users), from: :bigint\nend",
        Destructive,
        Reversible,
        &["adds a foreign key on posts.author_id"],
        &[],
    );
}

#[test]
fn what_a_delete_does_to_a_reference_matters_to_older_code() {
    change(
        "
    alter table(:comments) do
      modify :post_id, references(:posts, on_delete: :delete_all),
        from: references(:posts, on_delete: :nothing)
    end",
        Unknown,
        Reversible,
        &["changes what a delete does to comments.post_id"],
        &[],
    );
    change(
        "
    alter table(:comments) do
      modify(:post_id, references(:posts), from: references(:posts, on_delete: :delete_all))
    end",
        Destructive,
        Reversible,
        &["makes comments.post_id refuse deletes"],
        &[],
    );
    functions(
        "
  def up do
    drop constraint(:comments, \"comments_post_id_fkey\")

    alter table(:comments) do
      modify :post_id, references(:posts, on_delete: :delete_all)
    end
  end

  def down do
    drop constraint(:comments, \"comments_post_id_fkey\")

    alter table(:comments) do
      modify :post_id, references(:posts)
    end
  end",
        Destructive,
        Reversible,
        &[
            "adds a foreign key on comments.post_id",
            "drops the constraint comments_post_id_fkey on comments",
        ],
        &["comments.post_id is a foreign key again, which fails where a row is missing"],
    );
}

#[test]
fn options_that_are_made_at_run_time_leave_it_unknown() {
    change(
        "alter table(:users) do\nmodify :email, :string, Application.get_env(:shop, :email)\nend",
        Unknown,
        UNCLEAR,
        &["modifies users.email with options that Vial cannot read"],
        &["going down, it modifies users.email with options that Vial cannot read"],
    );
}
