//! A boot script that says where the cookie is.
//!
//! A boot script is a list of instructions in Erlang's external term format, of which one starts
//! the application `kernel`, and with it the distribution. Before that one a variable is set in the
//! node's own environment, and after it the variable is as it was: no other program sees it. The
//! rest of the script is taken over byte by byte.

/// The start of `kernel`, as its element of the list says it.
const KERNEL: [&str; 5] = ["apply", "application", "start_boot", "kernel", "permanent"];

/// The most that a boot script may have: the example's has 27 KiB, a large app's a few hundred.
pub(super) const MOST: u64 = 32 << 20;

/// The tags of the format that a boot script has.
mod tag {
    pub const VERSION: u8 = 131;
    pub const SMALL_INTEGER: u8 = 97;
    pub const INTEGER: u8 = 98;
    pub const ATOM: u8 = 100;
    pub const SMALL_TUPLE: u8 = 104;
    pub const NIL: u8 = 106;
    pub const STRING: u8 = 107;
    pub const LIST: u8 = 108;
    pub const BINARY: u8 = 109;
    pub const SMALL_BIG: u8 = 110;
    pub const SMALL_ATOM: u8 = 115;
    pub const MAP: u8 = 116;
    pub const ATOM_UTF8: u8 = 118;
    pub const SMALL_ATOM_UTF8: u8 = 119;
    pub const FLOAT: u8 = 70;
}

/// A variable, and what it is for the rest of the node's life.
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    /// While `kernel` starts.
    pub(super) during: &'a str,
    /// From then on; unset where absent.
    pub(super) after: Option<&'a str>,
}

/// The script with the variable in it; `None` where it is no boot script as Elixir writes them.
pub(super) fn with(script: &[u8], variable: &Variable<'_>) -> Option<Vec<u8>> {
    let before = call("putenv", &[variable.name, variable.during])?;
    let after = match variable.after {
        Some(value) => call("putenv", &[variable.name, value])?,
        None => call("unsetenv", &[variable.name])?,
    };
    let start = script.strip_prefix(&[tag::VERSION, tag::SMALL_TUPLE, 3])?;
    let list = end_of(start, end_of(start, 0)?)?;
    let count = match *start.get(list)? {
        tag::LIST => number(start, list + 1, 4)?,
        _ => return None,
    };
    let first = list + 5;
    let mut at = first;
    for _ in 0..count {
        let end = end_of(start, at)?;
        if is_kernel(&start[at..end]) {
            let more = u32::try_from(count.checked_add(2)?).ok()?.to_be_bytes();
            let prefix = [tag::VERSION, tag::SMALL_TUPLE, 3];
            let parts: [&[u8]; 8] = [
                &prefix,
                &start[..=list],
                &more,
                &start[first..at],
                &before,
                &start[at..end],
                &after,
                &start[end..],
            ];
            return Some(parts.concat());
        }
        at = end;
    }
    None
}

/// Where the term ends that begins at `at`. Nested as deep as it may be, it takes no stack.
fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut left) = (at, 1_usize);
    while left > 0 {
        left -= 1;
        let kind = *bytes.get(at)?;
        at += 1;
        let (taken, terms) = match kind {
            tag::SMALL_INTEGER => (1, 0),
            tag::INTEGER => (4, 0),
            tag::FLOAT => (8, 0),
            tag::NIL => (0, 0),
            tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => (1 + number(bytes, at, 1)?, 0),
            tag::ATOM | tag::ATOM_UTF8 | tag::STRING => (2 + number(bytes, at, 2)?, 0),
            tag::BINARY => (4 + number(bytes, at, 4)?, 0),
            tag::SMALL_BIG => (2 + number(bytes, at, 1)?, 0),
            tag::SMALL_TUPLE => (1, number(bytes, at, 1)?),
            tag::LIST => (4, number(bytes, at, 4)?.checked_add(1)?),
            tag::MAP => (4, number(bytes, at, 4)?.checked_mul(2)?),
            _ => return None,
        };
        at = at.checked_add(taken).filter(|at| *at <= bytes.len())?;
        left = left.checked_add(terms)?;
    }
    Some(at)
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let digits = bytes.get(at..at.checked_add(width)?)?;
    Some(digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)))
}

fn is_kernel(element: &[u8]) -> bool {
    let kinds = [tag::ATOM, tag::ATOM_UTF8, tag::SMALL_ATOM, tag::SMALL_ATOM_UTF8];
    kinds.into_iter().any(|kind| {
        let [apply, module, function, app, how] = KERNEL.map(|name| atom(kind, name));
        let args = [&[tag::LIST, 0, 0, 0, 2][..], &app, &how, &[tag::NIL]].concat();
        element == instruction(&apply, &module, &function, &args)
    })
}

/// `{apply, {os, Function, [String]}}`; `None` where a text is not plain.
fn call(function: &str, texts: &[&str]) -> Option<Vec<u8>> {
    let mut args = vec![tag::LIST];
    args.extend(u32::try_from(texts.len()).ok()?.to_be_bytes());
    for text in texts {
        // Others would have to be written in the node's own encoding of names.
        let plain = !text.is_empty() && text.bytes().all(|it| matches!(it, b' '..=b'~'));
        args.push(tag::STRING);
        args.extend(u16::try_from(text.len()).ok().filter(|_| plain)?.to_be_bytes());
        args.extend(text.bytes());
    }
    args.push(tag::NIL);
    let [apply, os, function] = ["apply", "os", function].map(|name| atom(tag::ATOM, name));
    Some(instruction(&apply, &os, &function, &args))
}

fn instruction(apply: &[u8], module: &[u8], function: &[u8], args: &[u8]) -> Vec<u8> {
    [&[tag::SMALL_TUPLE, 2], apply, &[tag::SMALL_TUPLE, 3], module, function, args].concat()
}

fn atom(kind: u8, name: &str) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
    let length = match kind {
        tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => &length[1..],
        _ => &length[..],
    };
    [&[kind], length, name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLE: Variable<'static> =
        Variable { name: "XDG_CONFIG_HOME", during: "/nodes", after: None };

    /// `{script, {"shop", "1.0.0"}, [{progress, preloaded}, Kernel, {progress, started}]}`
    fn script(kind: u8) -> Vec<u8> {
        let [apply, module, function, app, how] = KERNEL.map(|name| atom(kind, name));
        let args = [&[tag::LIST, 0, 0, 0, 2][..], &app, &how, &[tag::NIL]].concat();
        let progress =
            |to| [&[tag::SMALL_TUPLE, 2], &atom(kind, "progress")[..], &atom(kind, to)].concat();
        [
            &[tag::VERSION, tag::SMALL_TUPLE, 3],
            &atom(kind, "script")[..],
            &[tag::SMALL_TUPLE, 2, tag::STRING, 0, 4],
            b"shop",
            &[tag::STRING, 0, 5],
            b"1.0.0",
            &[tag::LIST, 0, 0, 0, 3],
            &progress("preloaded"),
            &instruction(&apply, &module, &function, &args),
            &progress("started"),
            &[tag::NIL],
        ]
        .concat()
    }

    #[test]
    fn the_variable_is_set_around_the_start_of_kernel_and_nothing_else_changes() {
        for kind in [tag::ATOM, tag::SMALL_ATOM_UTF8] {
            let before = script(kind);
            let after = with(&before, &VARIABLE).unwrap();
            assert_eq!(end_of(&after[1..], 0), Some(after.len() - 1), "it is one whole term");
            let set = call("putenv", &["XDG_CONFIG_HOME", "/nodes"]).unwrap();
            let unset = call("unsetenv", &["XDG_CONFIG_HOME"]).unwrap();
            assert_eq!(after.len(), before.len() + set.len() + unset.len());
            let at = |part: &[u8]| after.windows(part.len()).position(|it| it == part).unwrap();
            let kernel = at(&atom(kind, "kernel"));
            assert!(at(&set) < kernel && kernel < at(&unset));
            let back = Variable { after: Some("/own"), ..VARIABLE };
            let back = with(&before, &back).unwrap();
            assert!(back.ends_with(&after[after.len() - 20..]));
            let own = call("putenv", &["XDG_CONFIG_HOME", "/own"]).unwrap();
            assert!(back.windows(own.len()).any(|it| it == own));
        }
    }

    #[test]
    fn what_is_no_boot_script_is_refused_wherever_it_breaks() {
        let whole = script(tag::ATOM);
        let end = whole.len() - 1 - 2 - atom(tag::ATOM, "progress").len() - 10;
        for length in 0..end {
            assert_eq!(with(&whole[..length], &VARIABLE), None, "{length}");
        }
        let mut endless = whole.clone();
        let list = whole.windows(5).position(|it| it == [tag::LIST, 0, 0, 0, 3]).unwrap();
        endless[list + 1..list + 5].fill(255);
        // The count is only believed as far as there are elements; a list that says more than it
        // has is found out by the emulator, and none is made that wraps around.
        assert!(with(&endless, &VARIABLE).is_none());
        assert_eq!(with(&[131, 80, 0, 0, 0, 1], &VARIABLE), None, "compressed");
        let odd = Variable { during: "/größe", ..VARIABLE };
        assert_eq!(with(&whole, &odd), None, "a path that is not plain");
    }
}
