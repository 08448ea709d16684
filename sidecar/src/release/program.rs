//! What is read of an ELF program or library: its machine, its loader, versions of symbols.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use object::Endianness;
use object::elf::{self as format, FileHeader32, FileHeader64};
use object::read::elf::{
    FileHeader, ProgramHeader, SectionHeader, VerdefIterator, VerneedIterator,
};
use object::read::{FileKind, ReadCache, ReadRef, StringTable};

use super::error::ErtsFault;

/// Larger than any beam.smp, debug symbols included: what is read of a file is kept in memory.
const MOST_FILE: u64 = 256 << 20;
const MOST_SECTION: u64 = 1 << 20;
const MOST_LIBRARIES: usize = 64;
const MOST_VERSIONS: usize = 512;

/// A kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    machine: u16,
    bits: u8,
    endianness: Endianness,
}

impl Machine {
    /// As people call it.
    pub(super) fn name(self) -> String {
        let little = self.endianness == Endianness::Little;
        match (self.machine, self.bits, little) {
            (format::EM_X86_64, 64, _) => "x86_64".to_owned(),
            (format::EM_X86_64, _, _) => "x32".to_owned(),
            (format::EM_386, ..) => "i686".to_owned(),
            (format::EM_AARCH64, _, true) => "aarch64".to_owned(),
            (format::EM_ARM, _, true) => "arm".to_owned(),
            (format::EM_RISCV, bits, _) => format!("riscv{bits}"),
            (format::EM_PPC64, _, true) => "ppc64le".to_owned(),
            (format::EM_S390, 64, _) => "s390x".to_owned(),
            (machine, bits, little) => {
                let order = if little { "little" } else { "big" };
                format!("machine {machine} ({bits} bits, {order} endian)")
            }
        }
    }
}

/// What is read of a program or library.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) machine: Machine,
    /// The loader it names; none if it is linked statically.
    pub(super) loader: Option<String>,
    /// The versions it needs of each of glibc's libraries.
    pub(super) needs: Vec<(String, BTreeSet<String>)>,
    /// The versions it defines.
    pub(super) defines: BTreeSet<String>,
}

impl Program {
    /// Reads a file that may be hostile.
    pub(super) fn read(path: &Path) -> Result<Self, ErtsFault> {
        let unreadable = |error: &dyn std::fmt::Display| ErtsFault::Unreadable(error.to_string());
        let mut file = File::open(path).map_err(|error| unreadable(&error))?;
        if file.metadata().map_err(|error| unreadable(&error))?.len() > MOST_FILE {
            return Err(unreadable(&"it is larger than any such program"));
        }
        let mut magic = Vec::new();
        (&mut file)
            .take(4)
            .read_to_end(&mut magic)
            .and_then(|_| file.rewind())
            .map_err(|error| unreadable(&error))?;
        if magic != b"\x7fELF" {
            return Err(ErtsFault::NotElf(looks_like(&magic)));
        }
        let data = ReadCache::new(BufReader::new(file));
        match FileKind::parse(&data) {
            Ok(FileKind::Elf32) => Self::parse::<FileHeader32<Endianness>, _>(&data),
            Ok(FileKind::Elf64) => Self::parse::<FileHeader64<Endianness>, _>(&data),
            Ok(_) => return Err(unreadable(&"it is of no known class")),
            Err(error) => Err(error),
        }
        .map_err(|error| unreadable(&error))
    }

    fn parse<'data, Elf, R>(data: R) -> object::Result<Self>
    where
        Elf: FileHeader<Endian = Endianness>,
        R: ReadRef<'data>,
    {
        let header = Elf::parse(data)?;
        let endian = header.endian()?;
        let machine = Machine {
            machine: header.e_machine(endian),
            bits: if header.is_type_64() { 64 } else { 32 },
            endianness: endian,
        };
        let mut program =
            Program { machine, loader: None, needs: Vec::new(), defines: BTreeSet::new() };
        let interp = header
            .program_headers(endian, data)?
            .iter()
            .find(|segment| segment.p_type(endian) == format::PT_INTERP);
        if let Some(segment) = interp.filter(|s| s.p_filesz(endian).into() <= 4096) {
            let loader = segment.interpreter(endian, data)?.unwrap_or_default();
            program.loader = Some(String::from_utf8_lossy(loader).into_owned());
        }
        let sections = header.sections(endian, data)?;
        let small = |section: &&Elf::SectionHeader| section.sh_size(endian).into() <= MOST_SECTION;
        for section in sections.iter().filter(small) {
            if let Some((needs, link)) = section.gnu_verneed(endian, data)? {
                let strings = sections.strings(endian, data, link)?;
                program.needs = needed(endian, needs, strings)?;
            } else if let Some((definitions, link)) = section.gnu_verdef(endian, data)? {
                let strings = sections.strings(endian, data, link)?;
                program.defines = defined(endian, definitions, strings)?;
            }
        }
        Ok(program)
    }
}

fn needed<'data, Elf, R>(
    endian: Endianness,
    needs: VerneedIterator<'data, Elf>,
    strings: StringTable<'data, R>,
) -> object::Result<Vec<(String, BTreeSet<String>)>>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let mut all = Vec::new();
    for need in needs.take(MOST_LIBRARIES) {
        let (need, versions) = need?;
        let mut names = BTreeSet::new();
        for version in versions.take(MOST_VERSIONS) {
            let version = version?;
            // The loader only warns where a weak one is missing.
            if version.vna_flags.get(endian) & format::VER_FLG_WEAK == 0 {
                names.extend(of_glibc(version.name(endian, strings)?));
            }
        }
        let library = String::from_utf8_lossy(need.file(endian, strings)?).into_owned();
        if !names.is_empty() && !library.contains('/') {
            all.push((library, names));
        }
    }
    Ok(all)
}

fn defined<'data, Elf, R>(
    endian: Endianness,
    definitions: VerdefIterator<'data, Elf>,
    strings: StringTable<'data, R>,
) -> object::Result<BTreeSet<String>>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let mut names = BTreeSet::new();
    for definition in definitions.take(MOST_VERSIONS) {
        // The first name is the version's own; the others are those it builds on.
        if let Some(name) = definition?.1.next()? {
            names.extend(of_glibc(name.name(endian, strings)?));
        }
    }
    Ok(names)
}

/// The version, if it is a public one of glibc.
fn of_glibc(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    (name.starts_with("GLIBC_") && name != "GLIBC_PRIVATE").then(|| name.to_owned())
}

fn looks_like(magic: &[u8]) -> &'static str {
    match magic {
        [0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xca, 0xfe, 0xba, 0xbe] => "a macOS program",
        [b'M', b'Z', ..] => "a Windows program",
        [b'#', b'!', ..] => "a script",
        _ => "something else",
    }
}
