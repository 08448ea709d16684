//! What is wrong in a file is named with its place and with what would be right.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;
use vial::config::{Config, ConfigError};

const MINIMAL: &str = "name = \"shop\"\nports = { blue = 4000, green = 4001 }\n";

const FULL: &str = include_str!("fixtures/shop.toml");

fn host(text: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vial.toml"), text).unwrap();
    fs::create_dir(folder.path().join("apps")).unwrap();
    folder
}

fn load(folder: &TempDir) -> Result<Config, ConfigError> {
    Config::load_as(&folder.path().join("vial.toml"), false)
}

/// What is said about an app's file with this text.
fn complaints(text: &[u8]) -> String {
    let folder = host(b"");
    fs::write(folder.path().join("apps/shop.toml"), text).unwrap();
    let config = load(&folder).unwrap();
    assert_eq!(config.apps.len() + config.broken.len(), 1, "neither an app nor broken");
    assert_eq!(config.broken.contains("shop"), !config.problems.is_empty());
    let file = folder.path().join("apps/shop.toml").display().to_string();
    for problem in &config.problems {
        assert!(problem.message.contains(&file), "names its file: {}", problem.message);
    }
    config.problems.iter().map(|problem| format!("{}\n", problem.message)).collect()
}

/// What is said about a host file with this text.
fn host_complaints(text: &[u8]) -> String {
    match load(&host(text)) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// Each row: what is added to a minimal app (line 3 is the first added), and what must be said.
#[rustfmt::skip]
const APP: &[(&str, &[&str])] = &[
    // Keys.
    ("helth = {}", &["unknown key `helth` in", "line 3, column 1", "did you mean `health`?"]),
    ("Hosts = []", &["unknown key `Hosts`", "did you mean `hosts`?"]),
    ("quux = 1", &["unknown key `quux`", "the keys here are name, release"]),
    ("\"a b\\u001b\" = 1", &["unknown key `\"a b\\u{1b}\"`"]),
    ("slot_env = { bleu = {} }", &["unknown key `slot_env.bleu`", "line 3, column 14", "did you mean `slot_env.blue`?"]),
    ("[health]\npath = \"/\"\ntimout = \"3s\"", &["unknown key `health.timout`", "line 5, column 1"]),
    ("[drain]\ntimeot = \"3s\"", &["unknown key `drain.timeot`", "line 4", "did you mean `drain.timeout`?"]),
    ("[source]\ngit = \"https://a.b/c\"\nbake = \"3s\"", &["unknown key `source.bake`", "line 5", "put it above the first `[table]`"]),
    // TOML itself.
    ("bake = 30s", &["a mistake in the TOML in", "line 3"]),
    ("bake = \"30s\"\nbake = \"40s\"", &["a mistake in the TOML in", "line 4", "duplicate key"]),
    ("ports.red = 1", &["a mistake in the TOML in", "line 3"]),
    ("bake = \"30s", &["a mistake in the TOML in", "line 3"]),
    ("[health", &["a mistake in the TOML in", "line 3"]),
    ("= 1", &["a mistake in the TOML in", "line 3"]),
    // Types.
    ("release = 1", &["`release` is 1 in", "line 3, column 11", "such as \"shop\""]),
    ("hosts = \"a.b\"", &["`hosts` is \"a.b\"", "it must be a list, such as `hosts = [\"shop.example.com\"]`"]),
    ("hosts = [1]", &["`hosts[0]` is 1", "line 3, column 10"]),
    ("health = \"/health\"", &["`health` is \"/health\"", "it must be a table, such as `health = { path"]),
    ("drain = \"30s\"", &["`drain` is \"30s\"", "such as `drain = { timeout = \"30s\" }`"]),
    ("stop = 60", &["`stop` is 60", "such as `stop = { timeout = \"60s\" }`"]),
    ("bake = 1979-05-27", &["`bake` is a date", "such as \"30s\""]),
    ("bake = []", &["`bake` is a list"]),
    ("keep_releases = \"5\"", &["`keep_releases` is \"5\"", "a number of releases from 2 to 100, such as 5"]),
    ("keep_releases = 2.5", &["`keep_releases` is 2.5"]),
    ("slot_env = { blue = { A = 1 } }", &["`slot_env.blue.A` is a number", "in quotes"]),
    ("slot_env = { blue = 1 }", &["`slot_env.blue` is 1", "it must be a table of variables"]),
    ("verify = \"/\"", &["`verify` is \"/\"", "it must be a list"]),
    ("[[health]]\npath = \"/\"", &["`health` is a list", "line 3"]),
    // Times.
    ("bake = 30", &["`bake` is 30 in", "the unit is missing: write \"30s\""]),
    ("bake = 1.5", &["`bake` is 1.5 in", "the unit is missing: write \"1.5s\""]),
    ("bake = \"30\"", &["`bake` is \"30\"", "the unit is missing: write \"30s\""]),
    ("bake = \"-30s\"", &["`bake` is \"-30s\""]),
    ("bake = \"soon\"", &["`bake` is \"soon\"", "such as \"30s\", \"500ms\", \"15m\""]),
    ("bake = \"25h\"", &["`bake` is \"25h\"", "it must be from 0s to 24h"]),
    ("health = { deadline = \"500ms\" }", &["`health.deadline` is \"500ms\"", "it must be from 1s to 1h"]),
    ("health = { deadline = \"61m\" }", &["it must be from 1s to 1h"]),
    ("health = { interval = \"10ms\" }", &["it must be from 100ms to 5m"]),
    ("drain = { timeout = \"2h\" }", &["`drain.timeout` is \"2h\"", "it must be from 0s to 1h"]),
    ("stop = { timeout = \"2h\" }", &["`stop.timeout` is \"2h\"", "it must be from 0s to 1h"]),
    ("standby = { for = \"25h\" }", &["`standby.for` is \"25h\""]),
    // Ranges and words.
    ("logs = { live = \"1KiB\" }", &["`logs.live` is \"1KiB\"", "from 1 MiB to 16 GiB", "\"64MiB\""]),
    ("logs = { keep = \"2TiB\" }", &["`logs.keep` is \"2TiB\"", "KiB, MiB or GiB"]),
    ("logs = { for = \"5m\" }", &["`logs.for` is \"5m\"", "from 1h to 3650d"]),
    ("logs = { kepe = 1 }", &["unknown key `logs.kepe`", "did you mean `logs.keep`?"]),
    ("logs = \"1GiB\"", &["`logs` is \"1GiB\"", "it must be a table, such as `logs = {"]),
    ("keep_releases = 1", &["`keep_releases` is 1", "from 2 to 100"]),
    ("keep_releases = 101", &["`keep_releases` is 101"]),
    ("keep_releases = -1", &["`keep_releases` is -1"]),
    ("keep_releases = 99999999999999999999", &["`keep_releases` is 99999999999999999999"]),
    ("health = { successes = 0 }", &["`health.successes` is 0", "from 1 to 100"]),
    ("health = { successes = 101 }", &["`health.successes` is 101"]),
    ("health = { status = 99 }", &["`health.status` is 99", "from 100 to 599, such as 200"]),
    ("health = { status = 600 }", &["`health.status` is 600"]),
    ("distribution = \"clutser\"", &["`distribution` is \"clutser\"", "\"loopback\" or \"cluster\"", "did you mean \"cluster\"?"]),
    ("start = \"shell\"", &["`start` is \"shell\"", "\"script\" or \"direct\""]),
    ("mode = \"interactiv\"", &["`mode` is \"interactiv\"", "\"embedded\" or \"interactive\"", "did you mean \"interactive\"?"]),
    ("standby = { rest = \"1ms\" }", &["`standby.rest` is \"1ms\"", "from 100ms to 10m"]),
    ("standby = { otherwise = \"frozen\" }", &["`standby.otherwise` is \"frozen\"", "\"cold\" or \"warm\""]),
    ("standby = { mode = \"hot\" }", &["`standby.mode` is \"hot\"", "\"cold\" or \"warm\" or \"frozen\""]),
    // Characters.
    ("release = \"../sh\"", &["`release` is \"../sh\""]),
    ("release = \"Shop\"", &["`release` is \"Shop\""]),
    ("release = \"sh\\u0000p\"", &["`release` has a NUL character"]),
    ("hosts = [\"a b\"]", &["`hosts[0]` is \"a b\"", "it must be a host name alone"]),
    ("hosts = [\"a {\\n\"]", &["`hosts[0]` is \"a {\\n\""]),
    ("hosts = [\"https://a.b\"]", &["without scheme, port or path"]),
    ("hosts = [\"a.b:80\"]", &["without scheme, port or path"]),
    ("hosts = [\"bücher.ch\"]", &["as punycode"]),
    ("hosts = [\"a.*.b\"]", &["`hosts[0]` is \"a.*.b\""]),
    ("hosts = [\"a.b\", \"A.B\"]", &["`hosts[1]` is \"A.B\"", "it is listed twice"]),
    ("health = { path = \"health\" }", &["`health.path` is \"health\"", "begins with \"/\""]),
    ("health = { path = \"/a b\" }", &["`health.path` is \"/a b\""]),
    ("verify = [\"/\", \"/\\r\\nX: y\"]", &["`verify[1]` is \"/\\r\\nX: y\""]),
    ("verify = [\"login\"]", &["`verify[0]` is \"login\""]),
    ("node_host = \"localhost\"", &["`node_host` is \"localhost\"", "Erlang refuses"]),
    ("node_host = \"a@b.c\"", &["`node_host` is \"a@b.c\""]),
    ("user = \"a:b\"", &["`user` is \"a:b\""]),
    ("repos = [\"Shop.Repo)\"]", &["`repos[0]` is \"Shop.Repo)\""]),
    ("env_file = \"\"", &["`env_file` is \"\"", "/etc/vial/env/shop"]),
    ("env_file = \"a\\u0007b\"", &["`env_file` is \"a\\u{7}b\""]),
    ("migrate = \" \"", &["`migrate` is a text", "Shop.Release.migrate()"]),
    ("slot_env = { green = { \"A-B\" = \"\" } }", &["variable `A-B`", "letters, digits and _"]),
    ("slot_env = { green = { PORT = \"1\" } }", &["variable `PORT`", "Vial decides this one itself"]),
    ("slot_env = { green = { VIAL_SOCKET = \"1\" } }", &["variable `VIAL_SOCKET`"]),
    ("[source]\nbranch = \"main\"", &["`source.git` is missing", "line 3", "add `git ="]),
    ("[source]\ngit = \"ext::sh -c x\"", &["`source.git` is a text", "an address that Git clones from"]),
    ("[source]\ngit = \"https://a.b/c\"\nbranch = \"--upload-pack=x\"", &["`source.branch` is", "line 5"]),
    ("[source]\ngit = \"https://a.b/c\"\npoll = \"1s\"", &["`source.poll` is \"1s\"", "line 5"]),
    ("[notify.team]\nkind = \"slak\"\nurl = \"https://a.b\"", &["`notify.team.kind` is \"slak\"", "did you mean \"slack\"?"]),
    ("[notify.team]\nkind = \"slack\"", &["`notify.team.url` is missing", "`url_file`"]),
    ("[notify.team]\nkind = \"slack\"\nurl = \"ftp://a.b\"", &["`notify.team.url` is a text", "https://example.com"]),
    ("[notify.team]\nurl = \"https://a.b\"", &["`notify.team.secret_file` is missing", "kind = \"slack\""]),
    ("[notify.team]\nkind = \"slack\"\nurl = \"https://a.b\"\non = [\"fail\"]", &["`notify.team.on[0]` is \"fail\"", "\"failed\""]),
    ("[notify.\"a b\"]\nurl = \"https://a.b\"", &["a name here is 1 to 32"]),
    ("[source]\ngit = \"https://a.b/c\"\nauto_deploy = \"yes\"", &["`source.auto_deploy` is \"yes\"", "true or false"]),
    // What does not go together.
    ("health = { path = \"/\", command = [\"bin/check\"] }", &["`health.command` beside another kind of check", "keep one"]),
    ("health = { command = [\"bin/check\"], alive = \"5s\" }", &["`health.alive` beside another"]),
    ("health = { command = [] }", &["`health.command` is a list", "the program first"]),
    ("health = { command = [\"\"] }", &["`health.command[0]` is \"\""]),
    ("health = { command = \"bin/check\" }", &["such as `command = [\"bin/check\"]`"]),
    ("health = { alive = \"60s\" }", &["`health.alive` is \"60s\"", "shorter than `health.deadline`"]),
    ("hosts = [\"a.b\"]\nhealth = { alive = \"5s\" }", &["`health.alive` is \"5s\"", "line 4", "that suits a worker"]),
];

#[test]
fn every_mistake_in_an_apps_file_is_named_with_its_place_and_its_cure() {
    for (added, fragments) in APP {
        let said = complaints(format!("{MINIMAL}{added}\n").as_bytes());
        for fragment in *fragments {
            assert!(said.contains(fragment), "{added:?}\n wants: {fragment}\n said: {said}");
        }
    }
}

/// Each row: the whole file, and what must be said.
#[rustfmt::skip]
const WHOLE_APP: &[(&[u8], &[&str])] = &[
    (b"", &["`name` is missing", "add `name = \"shop\"`"]),
    (b"name = \"store\"", &["`name` is \"store\"", "line 1, column 8", "rename the file to store.toml, or write \"shop\""]),
    (b"name = \"Shop\"", &["`name` is \"Shop\"", "a small letter"]),
    (b"name = \"shop\"\nhosts = [\"a.b\"]", &["`ports` is missing", "add `ports = { blue = 4000, green = 4001 }`"]),
    (b"name = \"shop\"\nports = { blue = 4000 }", &["`ports.green` is missing", "line 2, column 9"]),
    (b"name = \"shop\"\nports = { blue = 4000, green = 4000 }", &["`ports.green` is 4000", "give each a port"]),
    (b"name = \"shop\"\nports = { blue = 0, green = 65536 }", &["`ports.blue` is 0", "`ports.green` is 65536", "a port from 1 to 65535"]),
    (b"name = \"shop\"\nports = [4000, 4001]", &["`ports` is a list"]),
    (b"name = \"shop\"\nhealth = { path = \"/\" }", &["`health.path` is \"/\"", "without `ports` there is nothing to ask"]),
    (b"name = \"shop\"\nverify = [\"/\"]", &["`verify` is a list", "without `ports`"]),
    (b"name = \"shop\"\nuser = \"no-such-user-of-vial\"", &["line 2, column 8", "only a daemon that runs as root can start as another user"]),
    (b"name = \"shop\"\n# \xff\xfe", &["bytes that are not text", "line 2, column 3", "UTF-8"]),
    (b"\0\0\0\0", &["a mistake in the TOML"]),
    (b"\x7fELF\x02\x01", &["a mistake in the TOML", "line 1"]),
    (b"name = \"shop\"\r\nbake = 30\r\n", &["`bake` is 30", "line 2, column 8"]),
];

#[test]
fn a_file_that_lacks_something_says_what_to_add() {
    for (file, fragments) in WHOLE_APP {
        let said = complaints(file);
        for fragment in *fragments {
            let file = String::from_utf8_lossy(file);
            assert!(said.contains(fragment), "{file}\n wants: {fragment}\n said: {said}");
        }
    }
}

#[rustfmt::skip]
const HOST: &[(&str, &[&str])] = &[
    ("state_dri = \"/x\"", &["unknown key `state_dri` in", "line 1, column 1", "did you mean `state_dir`?"]),
    ("[caddy]\nadmn = \"off\"", &["unknown key `caddy.admn`", "line 2", "did you mean `caddy.admin`?"]),
    ("[log]\nstate_dir = \"/x\"", &["unknown key `log.state_dir`", "put it above the first `[table]`"]),
    ("state_dir = 1", &["`state_dir` is 1", "such as \"/var/lib/vial\""]),
    ("state_dir = \"/a b\"", &["`state_dir` is \"/a b\"", "Caddyfile"]),
    ("state_dir = \"/a{x}\"", &["`state_dir` is \"/a{x}\"", "Caddyfile"]),
    ("run_dir = \"\"", &["`run_dir` is \"\""]),
    ("run_dir = \"/a\\u0000b\"", &["`run_dir` has a NUL character"]),
    ("operators_group = \"a b\"", &["`operators_group` is \"a b\""]),
    ("epmd_port = 0", &["`epmd_port` is 0", "a port from 1 to 65535"]),
    ("caddy = \"off\"", &["`caddy` is \"off\"", "it must be a table"]),
    ("[caddy]\nadmin = \"http://localhost:2019\"", &["`caddy.admin` is", "line 2", "leave out `http://`"]),
    ("[caddy]\nadmin = \":2019\"", &["the host is missing"]),
    ("[caddy]\nadmin = 2019", &["`caddy.admin` is 2019", "unix//run/caddy/admin.sock"]),
    ("[caddy]\nprobe = \"off\"", &["`caddy.probe` is \"off\"", "the port is missing"]),
    ("[caddy]\nmode = \"fiel\"", &["did you mean \"file\"?"]),
    ("[caddy]\nadmin = \"off\"\nmode = \"admin\"", &["`caddy.mode` is \"admin\"", "line 3", "`caddy.admin` is \"off\""]),
    ("[limits]\nrelease_bytes = \"2GB\"", &["`limits.release_bytes` is \"2GB\"", "KiB, MiB or GiB"]),
    ("[limits]\nrelease_entries = 0", &["`limits.release_entries` is 0"]),
    ("[limits]\nrelease_ratio = \"x\"", &["`limits.release_ratio` is \"x\""]),
    ("[limits]\nupload_idle = 60", &["the unit is missing: write \"60s\""]),
    ("[limits]\nrequest_bytes = 1", &["`limits.request_bytes` is 1", "from 1 KiB to 1 GiB"]),
    ("[hooks]\nlisten = \"4180\"", &["`hooks.listen` is \"4180\"", "127.0.0.1:4180"]),
    ("[log]\nlevel = \"warning\"", &["did you mean \"warn\"?"]),
    ("[log]\nformat = \"text\"", &["\"auto\" or \"journal\" or \"human\" or \"json\""]),
    ("state_dir = ", &["a mistake in the TOML", "line 1"]),
];

#[test]
fn every_mistake_in_the_host_file_is_an_error_with_its_place_and_its_cure() {
    for (text, fragments) in HOST {
        let said = host_complaints(text.as_bytes());
        for fragment in *fragments {
            assert!(said.contains(fragment), "{text:?}\n wants: {fragment}\n said: {said}");
        }
    }
}

#[test]
fn all_mistakes_of_a_file_are_reported_together_in_its_order() {
    let said = complaints(
        b"name = \"shop\"\nbake = 30\nhelth = 1\nports = { blue = 0, green = 4001 }\n\
          hosts = [\"a b\"]\n",
    );
    let at: Vec<_> = ["`bake`", "`helth`", "`ports.blue`", "`hosts[0]`"]
        .iter()
        .map(|key| said.find(key).unwrap_or_else(|| panic!("{key} is missing in {said}")))
        .collect();
    assert!(at.is_sorted(), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn more_mistakes_than_anybody_reads_are_counted() {
    let text: String = (0..5_000).map(|n| format!("k{n} = 1\n")).collect();
    let said = complaints(format!("{MINIMAL}{text}").as_bytes());
    assert_eq!(said.lines().count(), 21);
    assert!(said.contains("4980 more mistakes"), "{}", said.lines().last().unwrap());
}

#[test]
fn the_smallest_and_the_fullest_file_have_no_mistake() {
    assert_eq!(complaints(MINIMAL.as_bytes()), "");
    assert_eq!(complaints(FULL.as_bytes()), "");
    assert_eq!(complaints(format!("\u{feff}{MINIMAL}").as_bytes()), "");
    assert_eq!(complaints(MINIMAL.replace('\n', "\r\n").as_bytes()), "");
}

#[test]
fn a_file_larger_than_a_mebibyte_is_refused() {
    let comment = |size: usize| format!("{MINIMAL}#{}", "x".repeat(size - MINIMAL.len() - 1));
    assert_eq!(complaints(comment(1024 * 1024).as_bytes()), "");
    let said = complaints(comment(1024 * 1024 + 1).as_bytes());
    assert!(said.contains("more than 1 MiB"), "{said}");
    let said = host_complaints(&vec![b'#'; 1024 * 1024 + 1]);
    assert!(said.contains("more than 1 MiB"), "{said}");
}

#[test]
fn a_file_made_to_exhaust_the_parser_is_refused() {
    let many = 500_000;
    for bomb in [
        format!("a = {}", "[".repeat(many)),
        format!("a = {}{}", "[".repeat(many / 2), "]".repeat(many / 2)),
        format!("a = {}", "{a=".repeat(many / 3)),
        format!("[{}a]", "a.".repeat(many)),
        format!("{}a = 1", "a.".repeat(many)),
        "[[a]]\n".repeat(many / 6),
        format!("bake = \"{}s\"", "9".repeat(many)),
        format!("keep_releases = {}", "9".repeat(many)),
        format!("{} = 1", "k".repeat(many)),
    ] {
        assert_ne!(complaints(format!("{MINIMAL}{bomb}").as_bytes()), "");
    }
}

#[test]
fn a_secret_is_repeated_nowhere() {
    for line in [
        "slot_env = { blue = { A = [\"hunter2\"] } }",
        "slot_env = { blue = { A = \"hunter2\\u0000\" } }",
        "slot_env = { blue = { A = \"hunter2 } }",
        "slot_env = { blue = { A = hunter2 } }",
        "[source]\ngit = \"https user:hunter2@example.com\"",
        "[source]\ngit = \"https://a.b/c\"\nbuild = [[\"hunter2\"]]",
        "[notify.team]\nkind = \"slack\"\nurl = \"hooks.example.com/hunter2\"",
    ] {
        let said = complaints(format!("{MINIMAL}{line}\n").as_bytes());
        assert!(!said.is_empty() && !said.contains("hunter2"), "{line}: {said}");
    }
    let folder = host(b"");
    let text = format!(
        "{MINIMAL}slot_env = {{ blue = {{ KEY = \"hunter2\" }} }}\n[source]\n\
         git = \"https://u:hunter2@a.b/c\"\nbuild = [\"TOKEN=hunter2 mix release\"]\n"
    );
    fs::write(folder.path().join("apps/shop.toml"), text).unwrap();
    let config = load(&folder).unwrap();
    assert_eq!(config.apps.len(), 1);
    let shown = format!("{config:?}");
    assert!(shown.contains("KEY") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn no_message_sends_a_terminal_what_it_would_act_on() {
    let said = complaints(
        b"name = \"shop\"\nrelease = \"\\u001b[2J\\u202e\"\n\"\\u001b]0;x\\u0007\" = 1\n",
    );
    assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
}

#[test]
fn what_is_not_a_file_is_refused_without_waiting_for_it() {
    let folder = host(b"");
    let fifo = folder.path().join("apps/fifo.toml");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(folder.path().join("apps/folder.toml")).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.path().join("apps/link.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("apps/zero.toml")).unwrap();
    let config = load(&folder).unwrap();
    let broken: Vec<_> = config.broken.iter().map(String::as_str).collect();
    assert_eq!(broken, ["fifo", "folder", "link", "zero"]);
    assert_eq!(config.problems.len(), 4);
    assert!(config.problems[0].message.contains("not a regular file"), "{:?}", config.problems);
    assert!(config.problems[2].message.contains("cannot read"), "{:?}", config.problems);
    let error = Config::load_as(Path::new("/dev/zero"), false).unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
}

/// A good file with some of its bytes changed, left out, doubled or put elsewhere.
fn mutated(file: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5_u8, any::<u8>());
    prop::collection::vec(change, 1..8).prop_map(move |changes| {
        let mut bytes = file.as_bytes().to_vec();
        for (at, to, what, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
            let (from, until) = (at.min(to), at.max(to).min(at.min(to) + 40));
            match what {
                0 => bytes[at] = byte,
                1 => bytes[at] = b"\"'[]{}=.,\n#0-"[usize::from(byte) % 13],
                2 => drop(bytes.drain(from..until)),
                3 => {
                    let piece = bytes[from..until].to_vec();
                    bytes.splice(to..to, piece);
                }
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_app_is_an_app_or_broken_and_never_a_panic(file in mutated(FULL)) {
        // Asserts that it is the one or the other, and that each problem names its file.
        let _ = complaints(&file);
    }

    #[test]
    fn a_mutated_host_file_is_read_or_an_error_and_never_a_panic(
        file in mutated(include_str!("fixtures/vial.toml"))
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.toml");
        fs::write(&path, file).unwrap();
        match vial::config::HostConfig::load(&path) {
            Ok(host) => prop_assert!(host.socket().is_absolute()),
            Err(error) => prop_assert!(!error.problems().is_empty()),
        }
    }
}
