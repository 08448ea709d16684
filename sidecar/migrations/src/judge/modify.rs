//! What becomes of a column that is modified.

use crate::change::Shape;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modified {
    /// Nothing that other code could see.
    Same,
    /// Its type takes all that it took before, and more.
    Widened,
    /// Its type becomes another.
    Type,
    /// It may not be null any more.
    NotNull,
    /// It may be null from now on.
    Loosened,
    /// It becomes a reference, so that not every value is taken.
    Reference,
    /// It stays a reference; what a delete does changes.
    OnDelete,
    /// It stays a reference, and a delete that did something is refused from now on.
    Refuses,
    /// Without `from:` it cannot be told whether its type becomes another.
    Unsaid,
}

pub(super) fn modified(to: &Shape, from: Option<&Shape>) -> Modified {
    if to.null == Some(false) && from.and_then(|it| it.null) != Some(false) {
        return Modified::NotNull;
    }
    match (&to.refers, from.map(|it| &it.refers)) {
        (Some((table, _)), Some(Some((old, _)))) if table.is_some() && table == old => {
            // What was a cascade refuses from now on.
            let refuses = |it: &Shape| {
                it.refers
                    .as_ref()
                    .is_some_and(|(_, action)| matches!(action.as_str(), "nothing" | "restrict"))
            };
            let did = from.is_some_and(refuses);
            return match refuses(to) {
                true if did => Modified::Same,
                true => Modified::Refuses,
                false if from.is_some_and(|it| it.refers == to.refers) => Modified::Same,
                false => Modified::OnDelete,
            };
        }
        (Some(_), _) => return Modified::Reference,
        // A reference that becomes a plain column.
        (None, Some(Some(_))) => return Modified::Loosened,
        _ => {}
    }
    let only_options = to.null.is_some() || to.default;
    match (&to.kind, from.and_then(|it| it.kind.as_ref())) {
        (Some(to_kind), Some(from_kind)) if to_kind == from_kind => {
            if to.null == Some(true) && from.and_then(|it| it.null) == Some(false) {
                Modified::Loosened
            } else {
                Modified::Same
            }
        }
        (Some(to_kind), Some(from_kind)) if is_wider(to_kind, from_kind) => Modified::Widened,
        // `SET DEFAULT` and `DROP NOT NULL` say nothing of a type.
        (None, None) if from.is_none() && only_options => match to.null {
            Some(true) => Modified::Loosened,
            _ => Modified::Same,
        },
        (Some(_), None) if from.is_none() && only_options => Modified::Unsaid,
        _ => Modified::Type,
    }
}

/// Whether a type takes every value of another, and code of the other works with it as before.
pub(super) fn is_wider(to: &str, from: &str) -> bool {
    let (to, from) = (to.to_lowercase(), from.to_lowercase());
    let (to_base, to_sizes) = parts(&to);
    let (from_base, from_sizes) = parts(&from);
    let is_text = |base: &str| matches!(base, "string" | "varchar" | "character varying");
    let integers = ["smallint", "integer", "bigint"];
    let rank = |base: &str| integers.iter().position(|it| *it == base);
    if to_base == "text" && is_text(from_base) {
        return true;
    }
    if let (Some(to), Some(from)) = (rank(to_base), rank(from_base)) {
        return to > from;
    }
    if is_text(to_base) && is_text(from_base) {
        // Ecto's string is varchar(255).
        let size = |sizes: &[u64]| sizes.first().copied().unwrap_or(255);
        let named = |base: &str, sizes: &[u64]| base == "string" || !sizes.is_empty();
        return named(to_base, &to_sizes)
            && named(from_base, &from_sizes)
            && size(&to_sizes) >= size(&from_sizes);
    }
    let is_number = |base: &str| matches!(base, "decimal" | "numeric");
    if is_number(to_base) && is_number(from_base) {
        return match (to_sizes.as_slice(), from_sizes.as_slice()) {
            ([precision, scale], [old_precision, old_scale]) => {
                // More digits before the point, and the same after it.
                precision >= old_precision && scale == old_scale
            }
            _ => false,
        };
    }
    false
}

/// `varchar(20)` as its name and its numbers.
fn parts(kind: &str) -> (&str, Vec<u64>) {
    let (base, sizes) = kind.split_once('(').unwrap_or((kind, ""));
    let sizes = sizes.trim_end_matches(')').split(',').filter_map(|it| it.trim().parse().ok());
    (base.trim(), sizes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_wider_only_where_it_takes_every_value_of_the_other() {
        for (to, from) in [
            ("text", "string"),
            ("bigint", "integer"),
            ("string(500)", "string"),
            ("varchar(80)", "varchar(40)"),
            ("decimal(12,2)", "decimal(10,2)"),
        ] {
            assert!(is_wider(to, from), "{to} of {from}");
            assert!(!is_wider(from, to), "{from} of {to}");
        }
        for (to, from) in
            [("decimal", "integer"), ("text", "uuid"), ("decimal(12,4)", "decimal(12,2)")]
        {
            assert!(!is_wider(to, from), "{to} of {from}");
        }
    }
}
