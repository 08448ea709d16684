//! Text that somebody made to hurt: it is read in bounded time and stack, and says little.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use vial_migrations::{Effect, read};

use crate::support::migration;

/// A spawned thread's stack, as the daemon's blocking threads have it, and half of that.
const STACK: usize = 1 << 20;

/// Generous: a build without optimisation on a busy machine of two cores.
const LONGEST: Duration = Duration::from_secs(20);

/// Reads on a small stack, and says how long it took.
fn read_within(source: String) -> vial_migrations::Reading {
    let began = Instant::now();
    let head: String = source.chars().take(60).collect();
    let reader = std::thread::Builder::new().stack_size(STACK).spawn(move || read(&source));
    let reading = reader.unwrap().join().unwrap();
    let took = began.elapsed();
    eprintln!("{:>8.1} ms  {head:?}", took.as_secs_f64() * 1000.0);
    assert!(took < LONGEST, "{took:?} for {head:?}");
    assert!(reading.does.len() <= 21 && reading.loses.len() <= 21, "{reading:?}");
    for phrase in reading.does.iter().chain(&reading.loses) {
        assert!(phrase.chars().count() <= 320, "{phrase}");
        assert!(!phrase.contains(|it: char| it.is_control()), "{phrase:?}");
    }
    reading
}

/// As much of a text as is in a megabyte.
fn full(part: &str) -> String {
    part.repeat((1 << 20) / part.len())
}

#[test]
fn deep_nesting_is_unknown() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{", "}"),
        ("%{a: ", "}"),
        ("fn -> ", " end"),
        ("f(", ")"),
        ("if x do\n", "\nend"),
        ("\"#{", "}\""),
        ("-", ""),
        ("not ", ""),
        ("& ", ""),
        ("a.", "b"),
        ("x |> ", "y"),
        ("a = ", "b"),
        ("def a do ", " end "),
        ("defmodule A do ", " end "),
        ("case a do b -> ", " end "),
        ("@", "a"),
        ("f ", "x"),
        ("a[", "]"),
        ("a: ", "1"),
    ] {
        for times in [200, 20_000] {
            let nested = format!("{}{}", open.repeat(times), close.repeat(times));
            let body = format!("def up do\n{nested}\nend\ndef down, do: :ok");
            assert_ne!(read_within(migration(&body)).effect, Effect::Additive, "{open}");
            read_within(nested);
            read_within(open.repeat(times));
        }
    }
}

#[test]
fn a_megabyte_of_anything_is_read_or_given_up() {
    for part in [
        "x\n",
        "drop table(:a)\n",
        "\"",
        "'",
        "\"\"\"\n",
        "#{",
        "~s(",
        "do ",
        "end ",
        "fn ",
        "->",
        "a, ",
        ":",
        "@a ",
        "\\",
        "0",
        "é",
        "\u{0}",
        "a -> b\n",
        "(a -> ",
        "|> ",
        "%{",
        "<<",
        "a b ",
        "alias A.A, as: A\n",
        "@a @a\n",
        "x = [x, x]\n",
        "f = fn -> f end\n",
        "a: 1, ",
        "# c\n",
    ] {
        read_within(migration(&format!("def up do\n{}\nend", full(part))));
        read_within(part.repeat(20_000));
        read_within(migration(&part.repeat(20_000)));
    }
    read_within(migration(&format!("def up do\nexecute \"{}\"\nend", full("DROP TABLE a; "))));
    read_within(migration(&format!(
        "def up do\nexecute \"ALTER TABLE a {}\"\nend",
        full("ADD b int,")
    )));
    read_within(migration(&format!("def up do\nexecute \"{}\"\nend", full("$a$"))));
    read_within(migration(&format!("def up do\nexecute \"{}\"\nend", full("$a "))));
    read_within(migration(&format!("def up do\nexecute \"CREATE INDEX ON a {}\"\nend", full("("))));
}

#[test]
fn what_grows_when_it_runs_is_given_up() {
    let doubled = "x = x ++ x\ny = y <> y\nz = {z, z}\n".repeat(200);
    for body in [
        format!("x = [1, 2]\ny = \"drop table a;\"\nz = 1\n{doubled}\nexecute(y)"),
        "for a <- ~w(1 2 3 4 5 6 7 8), b <- ~w(1 2 3 4 5 6 7 8), c <- ~w(1 2 3 4 5 6 7 8),
            d <- ~w(1 2 3 4 5 6 7 8), e <- ~w(1 2 3 4 5 6 7 8), f <- ~w(1 2 3 4 5 6 7 8),
            do: drop(table(\"#{a}#{b}#{c}#{d}#{e}#{f}\"))"
            .to_owned(),
        format!(
            "l = [{}]\nfor _ <- l, _ <- l, _ <- l, x in l, do: create(table(:a))",
            "1,".repeat(4_000) + "1"
        ),
        format!("f = fn -> 1 end\n{}\nf.()", "f = fn -> f.() end\n".repeat(3_000)),
        "f = fn g -> g.(g) end\nf.(f)".to_owned(),
    ] {
        let reading = read_within(migration(&format!("def up do\n{body}\nend")));
        assert_ne!(reading.effect, Effect::Additive, "{body:.60} {reading:?}");
    }
    let ladder: String = (0..2_000)
        .map(|n| format!("defp f{n}, do: (f{m}(); f{m}(); f{m}())\n", m = n + 1))
        .collect();
    let reading = read_within(migration(&format!("def up, do: f0()\n{ladder}")));
    assert_ne!(reading.effect, Effect::Additive);
    let many: String = (0..20_000).map(|n| format!("@a{n} @a{}\n", n + 1)).collect();
    read_within(migration(&format!("{many}\ndef up, do: drop(table(@a0))")));
}

#[test]
fn names_cannot_talk_to_a_terminal_or_fill_it() {
    let long = "n".repeat(5_000);
    for name in ["\\e[2Jx", "\\u202Etxt", "a\\nb", long.as_str()] {
        let body = format!(
            "def change do
              drop table(\"{name}\")
              alter table(:\"{name}\") do
                remove :\"{name}\", :string
              end
              execute \"DROP TYPE \\\"{name}\\\"\", \"DROP TYPE \\\"{name}\\\"\"
              A.\"{name}\"()
            end"
        );
        read_within(migration(&body));
    }
}

/// What migrations are made of, to be put together in ways in which nobody would.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "def up do\n",
        "def change do\n",
        "end\n",
        "do\n",
        "fn x -> ",
        "drop table(:a)\n",
        "alter ",
        "create ",
        "table(:a) ",
        "execute ",
        "\"DROP TABLE a\" ",
        "\"#{",
        "}\"",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ", ",
        "|> ",
        "if x ",
        "else\n",
        "for x <- ",
        "[:a, :b] ",
        "case x do\n",
        "-> ",
        ":a ",
        "@a ",
        "a: 1 ",
        "& ",
        "&1 ",
        "x ",
        "= ",
        "\\\\ ",
        "use Ecto.Migration\n",
        "defmodule A do\n",
        "ALTER TABLE a ",
        "DROP COLUMN b",
        "'",
        "\"\"\"\n",
        "$$",
        ";",
        "--",
        "/*",
        "\n",
        "%{",
        "<<",
        "~s(",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..120)
        .prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_that_is_put_together_makes_it_panic(source in pieces()) {
        read_within(source.clone());
        read_within(migration(&format!("def change do\n{source}\nend")));
        read_within(migration(&source));
    }

    #[test]
    fn no_text_makes_it_panic(source in "\\PC{0,400}", sql in "[-A-Za-z$'\"();,/*. ]{0,80}") {
        read_within(source.clone());
        read_within(migration(&format!("def up do\n{source}\nend")));
        read_within(migration(&format!("def up do\nexecute ~S|{sql}|\nend")));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_within(String::from_utf8_lossy(&bytes).into_owned());
    }
}
