//! The protocol's types as the library's structs.
//!
//! [`ToTerm`] makes a term; [`structs`] has every struct and [`words`] every fixed word. Both are
//! written out, so that a field or a word which the protocol gains does not compile before it is
//! given to Elixir too.

mod structs;
mod words;

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::Offset;
use rustler::types::atom::nil;
use rustler::{Atom, Encoder, Env, NewBinary, Term};

use crate::failure::Failure;

/// What can be handed to Elixir.
pub(crate) trait ToTerm {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a>;
}

/// A struct's module and fields, whose atoms are looked up once.
struct Shape {
    module: &'static str,
    fields: &'static [&'static str],
    keys: OnceLock<Vec<Atom>>,
}

impl Shape {
    const fn new(module: &'static str, fields: &'static [&'static str]) -> Self {
        Shape { module, fields, keys: OnceLock::new() }
    }

    /// The struct, from its fields' values in their order.
    fn fill<'a>(&self, env: Env<'a>, values: &[Term<'a>]) -> Term<'a> {
        let atoms = self.keys.get_or_init(|| {
            let names = [self.module, "__struct__"].into_iter().chain(self.fields.iter().copied());
            names.map(|name| word(env, name)).collect()
        });
        let mut terms = atoms.iter().map(|atom| atom.to_term(env));
        let module = terms.next();
        let keys: Vec<Term> = terms.collect();
        let values: Vec<Term> = module.into_iter().chain(values.iter().copied()).collect();
        // It fails only where two fields have one name.
        Term::map_from_term_arrays(env, &keys, &values).unwrap_or_else(|_| nil().to_term(env))
    }
}

/// A word of this code or of the protocol as an atom; never one that somebody sent.
fn word(env: Env, word: &'static str) -> Atom {
    Atom::from_str(env, word).unwrap_or_else(|_| nil())
}

impl ToTerm for str {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        let mut binary = NewBinary::new(env, self.len());
        binary.as_mut_slice().copy_from_slice(self.as_bytes());
        binary.into()
    }
}

impl ToTerm for String {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        self.as_str().to_term(env)
    }
}

macro_rules! plain {
    ($($type:ty),+) => {$(
        impl ToTerm for $type {
            fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
                self.encode(env)
            }
        }
    )+};
}

plain!(bool, u16, u32, u64, i32);

impl<T: ToTerm> ToTerm for Option<T> {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        self.as_ref().map_or_else(|| nil().to_term(env), |value| value.to_term(env))
    }
}

impl<T: ToTerm> ToTerm for Vec<T> {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        let items: Vec<Term> = self.iter().map(|item| item.to_term(env)).collect();
        items.encode(env)
    }
}

impl<T: ToTerm + ?Sized> ToTerm for Box<T> {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        T::to_term(self, env)
    }
}

impl ToTerm for Timestamp {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        static SHAPE: Shape = Shape::new(
            "Elixir.DateTime",
            &[
                "calendar",
                "year",
                "month",
                "day",
                "hour",
                "minute",
                "second",
                "microsecond",
                "time_zone",
                "zone_abbr",
                "utc_offset",
                "std_offset",
            ],
        );
        let time = Offset::UTC.to_datetime(*self);
        let number = |number: i64| number.encode(env);
        SHAPE.fill(
            env,
            &[
                word(env, "Elixir.Calendar.ISO").to_term(env),
                number(time.year().into()),
                number(time.month().into()),
                number(time.day().into()),
                number(time.hour().into()),
                number(time.minute().into()),
                number(time.second().into()),
                (time.subsec_nanosecond() / 1000, 6).encode(env),
                "Etc/UTC".to_term(env),
                "UTC".to_term(env),
                number(0),
                number(0),
            ],
        )
    }
}

impl ToTerm for Failure {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        match self {
            Failure::Refused(problem) => problem.to_term(env),
            _ => structs::error(
                env,
                word(env, self.reason()).to_term(env),
                &self.message(),
                &self.next(),
                &[],
                &None,
            ),
        }
    }
}
