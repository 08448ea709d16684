//! Whether this host can run the Erlang inside a release: its machine, its C library.
//!
//! The loader's own rules decide, without running anything: a program names the loader it wants,
//! and for each library the versions of symbols it needs; the host's libraries, which lie beside
//! that loader, name those that they define.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{ErtsFault, UnpackError};
use super::names::printable;
use super::program::{Machine, Program};

/// What this host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    machine: Machine,
    /// Where its root folder is; `/` but in tests.
    root: PathBuf,
}

impl Host {
    /// This host, judged by the program that is running here and now: this one.
    pub(super) fn here() -> Result<Self, UnpackError> {
        let own = Program::read(Path::new("/proc/self/exe")).map_err(UnpackError::Host)?;
        Ok(Host { machine: own.machine, root: PathBuf::from("/") })
    }

    /// A path of this host.
    fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }
}

/// Checks that a program, `beam.smp`, can run on a host.
pub(super) fn check(program: &Path, host: &Host) -> Result<(), ErtsFault> {
    if !program.is_file() {
        return Err(ErtsFault::Missing);
    }
    let program = Program::read(program)?;
    if program.machine != host.machine {
        return Err(ErtsFault::Machine {
            release: program.machine.name(),
            host: host.machine.name(),
        });
    }
    let Some(loader) = &program.loader else { return Ok(()) };
    let Ok(real) = fs::canonicalize(host.path(loader)) else {
        return Err(ErtsFault::Loader(printable(loader.as_bytes())));
    };
    let libraries = real.parent().unwrap_or(&host.root);
    for (library, needed) in &program.needs {
        // A library that does not lie beside the loader is none of the C library's.
        let Ok(found) = Program::read(&libraries.join(library)) else { continue };
        let missing = needed.difference(&found.defines).max_by_key(|name| numbers(name));
        if let Some(missing) = missing {
            let host = found.defines.iter().max_by_key(|name| numbers(name));
            return Err(ErtsFault::Glibc {
                needed: spoken(missing),
                library: printable(library.as_bytes()),
                host: host.map_or_else(|| "none".to_owned(), |name| spoken(name)),
            });
        }
    }
    Ok(())
}

/// `GLIBC_2.36` as people say it.
fn spoken(version: &str) -> String {
    printable(version.replacen("GLIBC_", "glibc ", 1).as_bytes())
}

/// The numbers in `GLIBC_2.36`, to compare; none in `GLIBC_ABI_DT_RELR`, which sorts first.
fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.strip_prefix("GLIBC_").unwrap_or_default().split('.');
    numbers.map(str::parse).collect::<Result<_, _>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use object::elf::EM_RISCV;
    use proptest::prelude::*;

    use super::*;

    fn own() -> Vec<u8> {
        fs::read("/proc/self/exe").unwrap()
    }

    fn true_program() -> Vec<u8> {
        fs::read(fs::canonicalize("/bin/true").unwrap()).unwrap()
    }

    fn judge(bytes: &[u8], host: &Host) -> Result<(), ErtsFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("beam.smp");
        fs::write(&path, bytes).unwrap();
        check(&path, host)
    }

    fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
        assert_eq!(from.len(), to.len());
        let at: Vec<usize> =
            (0..=bytes.len() - from.len()).filter(|i| bytes[*i..].starts_with(from)).collect();
        for i in &at {
            bytes[*i..*i + to.len()].copy_from_slice(to);
        }
        at.len()
    }

    #[test]
    fn what_runs_here_is_accepted() {
        let host = Host::here().unwrap();
        judge(&own(), &host).unwrap();
        judge(&true_program(), &host).unwrap();
    }

    #[test]
    fn the_versions_that_a_program_needs_are_found() {
        let program = Program::read(Path::new("/proc/self/exe")).unwrap();
        if program.loader.as_deref().is_none_or(|loader| !loader.contains("ld-linux")) {
            eprintln!("skipped: this host's programs are not linked with glibc");
            return;
        }
        let names: Vec<_> = program.needs.iter().flat_map(|(_, names)| names).collect();
        assert!(names.iter().any(|name| numbers(name) > vec![2]), "{names:?}");
    }

    #[test]
    fn another_machine_is_named() {
        let host = Host::here().unwrap();
        let mut bytes = true_program();
        bytes[18..20].copy_from_slice(&EM_RISCV.to_le_bytes());
        let fault = judge(&bytes, &host).unwrap_err();
        assert!(
            matches!(&fault, ErtsFault::Machine { release, .. } if release.starts_with("riscv")),
            "{fault}"
        );
    }

    #[test]
    fn a_newer_glibc_than_the_hosts_is_named_with_both_versions() {
        let mut bytes = true_program();
        if replace(&mut bytes, b"GLIBC_2.", b"GLIBC_9.") == 0 {
            eprintln!("skipped: this host's programs are not linked with glibc");
            return;
        }
        let fault = judge(&bytes, &Host::here().unwrap()).unwrap_err();
        let text = fault.to_string();
        assert!(matches!(fault, ErtsFault::Glibc { .. }), "{text}");
        assert!(
            text.contains("needs glibc 9.") && text.contains("this host has glibc 2."),
            "{text}"
        );
    }

    #[test]
    fn a_program_for_another_c_library_is_refused_by_its_loader() {
        // The same program on a host whose root has no loader at all.
        let program = Program::read(Path::new("/proc/self/exe")).unwrap();
        if program.loader.is_none() {
            eprintln!("skipped: this host's programs are linked statically");
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let host = Host { root: root.path().to_owned(), ..Host::here().unwrap() };
        let fault = judge(&own(), &host).unwrap_err();
        assert!(matches!(fault, ErtsFault::Loader(_)), "{fault}");
    }

    #[test]
    fn what_is_no_linux_program_is_called_what_it_is() {
        let host = Host::here().unwrap();
        for (bytes, expected) in [
            (&b"\xcf\xfa\xed\xfe\x07\0\0\x01"[..], "a macOS program"),
            (b"MZ\x90\0", "a Windows program"),
            (b"#!/bin/sh\n", "a script"),
            (b"", "something else"),
        ] {
            assert!(matches!(judge(bytes, &host), Err(ErtsFault::NotElf(is)) if is == expected));
        }
        assert!(matches!(judge(b"\x7fELF\x02\x01", &host), Err(ErtsFault::Unreadable(_))));
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("GLIBC_2.10") > numbers("GLIBC_2.9"));
        assert!(numbers("GLIBC_2.3.4") > numbers("GLIBC_2.3"));
        assert!(numbers("GLIBC_ABI_DT_RELR") < numbers("GLIBC_2.0"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_damaged_program_is_judged_without_a_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
            cut in any::<Option<prop::sample::Index>>(),
        ) {
            let mut bytes = true_program();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                // The tables stand at both ends.
                let near = if at % 2 == 0 { at % 1024 } else { bytes.len() - 1 - at % 4096 };
                bytes[near] = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = judge(&bytes, &Host::here().unwrap());
        }
    }
}
