//! An Elixir term as JSON: the body of a request.

use rustler::types::map::MapIterator;
use rustler::{Binary, ListIterator, Term, TermType};
use serde::ser::{Error, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// Deeper than any request; the background thread's stack is not endless.
const DEEPEST: usize = 64;

/// Writes a term of maps, lists, binaries, atoms and numbers.
pub(crate) fn write(term: Term) -> Result<Vec<u8>, String> {
    serde_json::to_vec(&Json { term, depth: 0 })
        .map_err(|error| format!("its body cannot be written as JSON: {error}"))
}

struct Json<'a> {
    term: Term<'a>,
    depth: usize,
}

impl<'a> Json<'a> {
    fn below(&self, term: Term<'a>) -> Json<'a> {
        Json { term, depth: self.depth + 1 }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let term = self.term;
        if self.depth > DEEPEST {
            return Err(S::Error::custom(format!("it is nested deeper than {DEEPEST}")));
        }
        let odd = |_| S::Error::custom(format!("{term:?} is neither text nor a number"));
        match term.get_type() {
            TermType::Atom => match term.atom_to_string().map_err(odd)?.as_str() {
                "nil" => to.serialize_none(),
                "true" => to.serialize_bool(true),
                "false" => to.serialize_bool(false),
                word => to.serialize_str(word),
            },
            TermType::Binary => {
                let bytes: Binary = term.decode().map_err(odd)?;
                let text = std::str::from_utf8(&bytes);
                to.serialize_str(text.map_err(|_| S::Error::custom("a text is not UTF-8"))?)
            }
            TermType::Integer => match (term.decode::<u64>(), term.decode::<i64>()) {
                (Ok(number), _) => to.serialize_u64(number),
                (_, number) => to.serialize_i64(number.map_err(odd)?),
            },
            TermType::Float => to.serialize_f64(term.decode().map_err(odd)?),
            TermType::List => {
                // The iterator panics at the end of an improper one.
                let length = term.list_length().map_err(odd)?;
                let items: ListIterator = term.decode().map_err(odd)?;
                let mut list = to.serialize_seq(Some(length))?;
                for item in items {
                    list.serialize_element(&self.below(item))?;
                }
                list.end()
            }
            TermType::Map => {
                let pairs = MapIterator::new(term)
                    .ok_or_else(|| S::Error::custom("a map cannot be read"))?;
                let mut map = to.serialize_map(None)?;
                for (key, value) in pairs {
                    map.serialize_entry(&self.below(key), &self.below(value))?;
                }
                map.end()
            }
            _ => Err(odd(rustler::Error::BadArg)),
        }
    }
}
