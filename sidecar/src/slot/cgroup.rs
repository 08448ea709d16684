//! A cgroup of its own for everything of one start, where the daemon's own cgroup was delegated to
//! it: systemd's `Delegate=yes`.
//!
//! ```text
//! vial.service/               the daemon
//!   epmd/                     never ended with a slot
//!   slots/3fa9c1d2e4b5.shop.17/   one start and all that came of it, named by its marker
//! ```
//!
//! A process can leave its parents, its session and its environment; its cgroup it can not. The
//! name is the marker, so that a daemon that comes back finds it without having written it down.
//!
//! No controller is enabled: with one in a child's `subtree_control`, systemd cannot start the next
//! daemon beside a slot that survived. Cgroups find and kill here, they limit nothing.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::Access;

use super::identity::sight;

const SLOTS: &str = "slots";
const EPMD: &str = "epmd";
const PROCS: &str = "cgroup.procs";
/// systemd says so on what it delegates; the first for everyone to read, the second for root.
const DELEGATED: [&str; 2] = ["user.delegate", "trusted.delegate"];
/// Nobody nests so deep; a walk must end.
const DEEPEST: usize = 16;

/// The daemon's own cgroup, where it may make others in it.
pub(crate) fn own() -> Option<&'static Path> {
    static OWN: OnceLock<Option<PathBuf>> = OnceLock::new();
    OWN.get_or_init(|| find_own().filter(|folder| is_delegated(folder))).as_deref()
}

fn find_own() -> Option<PathBuf> {
    of_process("self")
}

/// Whether a cgroup is the daemon's to divide. Root could divide any, also one that systemd tends;
/// anyone else only what was given to them.
fn is_delegated(folder: &Path) -> bool {
    let writable = [folder.to_owned(), folder.join(PROCS)]
        .iter()
        .all(|path| rustix::fs::access(path, Access::WRITE_OK).is_ok());
    writable
        && (!nix::unistd::geteuid().is_root() || DELEGATED.iter().any(|it| says_so(folder, it)))
}

fn says_so(folder: &Path, attribute: &str) -> bool {
    let mut value = [0_u8; 8];
    rustix::fs::getxattr(folder, attribute, &mut value[..]).is_ok_and(|len| &value[..len] == b"1")
}

/// Puts a process into the cgroup of its marker. `false` where there is none to have.
///
/// # Errors
/// Where the kernel refuses. Descent and marker remain to find it by.
pub(crate) fn place(pid: u32, marker: &str) -> io::Result<bool> {
    let Some(folder) = own().and_then(|own| below(own, marker)) else { return Ok(false) };
    enter(pid, &folder)
}

/// Puts an epmd where no slot's end reaches it.
///
/// # Errors
/// Where the kernel refuses.
pub(crate) fn place_epmd(pid: u32) -> io::Result<bool> {
    let Some(own) = own() else { return Ok(false) };
    enter(pid, &own.join(EPMD))
}

fn enter(pid: u32, folder: &Path) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(PROCS), pid.to_string())?;
    Ok(true)
}

/// The processes in the cgroup of a marker. `root` is one that bears the marker, whose cgroup is
/// found also where this daemon was started in another than the one before it.
pub(crate) fn members(root: Option<u32>, marker: &str) -> Vec<u32> {
    let mut pids = Vec::new();
    if let Some(folder) = folder(root, marker) {
        collect(&folder, 0, &mut pids);
    }
    pids
}

fn collect(folder: &Path, depth: usize, pids: &mut Vec<u32>) {
    let text = fs::read_to_string(folder.join(PROCS)).unwrap_or_default();
    // 0 is a process that this pid namespace does not see.
    pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()).filter(|pid| *pid != 0));
    if depth < DEEPEST {
        for inner in inner(folder) {
            collect(&inner, depth + 1, pids);
        }
    }
}

/// Kills all that is in the cgroup of a marker at once, what it forks meanwhile included. Where the
/// kernel cannot (before 5.14), or must not for an epmd's sake, nothing is done.
pub(crate) fn kill(root: Option<u32>, marker: &str) {
    let Some(folder) = folder(root, marker) else { return };
    let mut pids = Vec::new();
    collect(&folder, 0, &mut pids);
    let must_live = |pid: &u32| {
        *pid == std::process::id()
            || (sight(*pid).is_ok_and(|it| it.is_some_and(|it| it.name == "epmd"))
                && !place_epmd(*pid).unwrap_or(false))
    };
    if !pids.iter().any(must_live) {
        // Whoever is left is killed one by one.
        let _ = fs::write(folder.join("cgroup.kill"), "1");
    }
}

/// Removes the cgroup of a marker, if nothing runs in it.
pub(crate) fn remove(marker: &str) {
    if let Some(folder) = own().and_then(|own| below(own, marker)) {
        remove_empty(&folder, 0);
    }
}

/// Removes the empty cgroups of this daemon's earlier lives: `id` begins its markers.
pub(crate) fn tidy(id: &str) {
    let Some(own) = own() else {
        tracing::info!("no cgroup of its own for each slot: the daemon's is not delegated to it");
        return;
    };
    tracing::info!(cgroup = %own.display(), "each slot gets a cgroup of its own");
    let prefix = format!("{id}.");
    for folder in inner(&own.join(SLOTS)) {
        if folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)) {
            remove_empty(&folder, 0);
        }
    }
}

fn remove_empty(folder: &Path, depth: usize) {
    if depth < DEEPEST {
        for inner in inner(folder) {
            remove_empty(&inner, depth + 1);
        }
    }
    // The kernel refuses where something runs in it.
    let _ = fs::remove_dir(folder);
}

fn inner(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|it| it.path()).collect()
}

/// The cgroup of a marker, where it exists.
fn folder(root: Option<u32>, marker: &str) -> Option<PathBuf> {
    let computed = own().and_then(|own| below(own, marker)).filter(|folder| folder.is_dir());
    computed.or_else(|| {
        let whole = of_process(&root?.to_string())?;
        let mut above = whole.ancestors();
        above.find(|it| it.file_name().is_some_and(|name| name == marker)).map(Path::to_owned)
    })
}

/// Where the cgroup of a marker is, or would be.
fn below(own: &Path, marker: &str) -> Option<PathBuf> {
    let name = Path::new(marker);
    let mut parts = name.components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    (plain && !marker.contains('\n')).then(|| own.join(SLOTS).join(name))
}

/// The folder of a process's cgroup in the unified hierarchy.
fn of_process(pid: &str) -> Option<PathBuf> {
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    locate(&cgroup, &mounts)
}

fn locate(cgroup: &str, mounts: &str) -> Option<PathBuf> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        // 31 25 0:27 /root /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw
        let (left, right) = line.split_once(" - ")?;
        if right.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = left.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let inside = Path::new(path).strip_prefix(root).ok()?;
        // One that lies outside of what this namespace sees is written with dots.
        let plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
        plain.then(|| Path::new(point).join(inside))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFIED: &str = "31 25 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

    #[test]
    fn a_cgroup_is_found_on_a_unified_and_on_a_hybrid_host_and_below_a_bind() {
        let unit = Some(PathBuf::from("/sys/fs/cgroup/system.slice/vial.service"));
        assert_eq!(locate("0::/system.slice/vial.service\n", UNIFIED), unit);
        let hybrid = "30 25 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
                      31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            locate("9:name=systemd:/x\n0::/vial.service\n", hybrid),
            Some("/sys/fs/cgroup/unified/vial.service".into())
        );
        let bound = "31 25 0:27 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(locate("0::/box/vial\n", bound), Some("/sys/fs/cgroup/vial".into()));
        assert_eq!(locate("0::/other\n", bound), None);
    }

    #[test]
    fn where_there_is_no_unified_hierarchy_or_it_is_out_of_sight_there_is_no_cgroup() {
        assert_eq!(locate("4:memory:/x\n", UNIFIED), None);
        assert_eq!(locate("0::/../above\n", UNIFIED), None);
        let old = "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(locate("0::/x\n", old), None);
    }

    #[test]
    fn only_a_marker_that_is_a_plain_name_has_a_cgroup() {
        let own = Path::new("/own");
        assert_eq!(below(own, "id.shop.17"), Some("/own/slots/id.shop.17".into()));
        for marker in ["", ".", "..", "a/b", "/a", "a\nb"] {
            assert_eq!(below(own, marker), None, "{marker:?}");
        }
    }
}
