//! `vial init`: what it writes loads, what it prints works, and nothing is ever overwritten.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use nix::unistd::geteuid;
use serde_json::Value;
use tempfile::TempDir;
use vial::config::Config;

struct Folder(TempDir);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn at(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.at(below)).unwrap()
    }

    /// `vial init ARGUMENTS --dir FOLDER`
    fn init(&self, args: &str) -> Ran {
        let dir = self.at("");
        let dir = dir.to_str().unwrap().trim_end_matches('/');
        let mut words: Vec<&str> = args.split_ascii_whitespace().collect();
        words.extend(["--dir", dir]);
        vial(&[&["init"], &words[..]].concat())
    }

    fn config(&self) -> Config {
        Config::load(&self.at("vial.toml")).unwrap()
    }
}

fn vial(args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vial"));
    command.args(args).env_remove("VIAL_CONFIG").env_remove("VIAL_SOCKET");
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// What every app needs where the tests are root: an unprivileged user that is there.
fn user() -> &'static str {
    if geteuid().is_root() { "--user nobody" } else { "" }
}

#[test]
fn what_it_writes_loads_with_every_host() {
    let folder = Folder::new();
    let args =
        format!("shop --host Shop.example --host www.shop.example --host shop.example {}", user());
    let ran = folder.init(&args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let config = folder.config();
    assert!(config.problems.is_empty(), "{:?}", config.problems);
    let shop = &config.apps["shop"];
    assert_eq!(shop.hosts, ["shop.example", "www.shop.example"]);
    assert_eq!(shop.ports.map(|ports| (ports.blue, ports.green)), Some((4000, 4001)));
}

#[test]
fn the_next_commands_stand_in_the_order_in_which_they_work_and_name_the_moved_folder() {
    let folder = Folder::new();
    let ran = folder.init(&format!("shop --host a.example --host b.example {}", user()));
    let file = folder.at("vial.toml").display().to_string();
    let snippet = folder.config().host.state_dir.join("route/shop/Caddyfile");
    let expected = [
        format!("Wrote {file}.\n"),
        format!("vial --config {file} serve\n"),
        "     a.example, b.example {\n".into(),
        format!("         import {}\n     }}\n", snippet.display()),
        "systemctl reload caddy\n".into(),
        format!("vial --config {file} doctor\n"),
        format!("vial --config {file} deploy shop _build/prod/rel/shop\n"),
        format!("vial --config {file} login-link NAME\n"),
    ];
    let mut rest = ran.out.as_str();
    for part in &expected {
        let (_, after) =
            rest.split_once(part.as_str()).unwrap_or_else(|| panic!("no {part:?} in {rest}"));
        rest = after;
    }
    assert!(!ran.out.contains("useradd"), "that user is there: {}", ran.out);
}

#[test]
fn a_user_that_is_not_there_yet_is_the_first_step_for_root() {
    let folder = Folder::new();
    let ran = folder.init("vial_none --host a.example --user vial_has_no_such");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let step = "1. Make the user that its releases run as:\n     useradd --system";
    assert_eq!(ran.out.contains(step), geteuid().is_root(), "{}", ran.out);
    assert!(folder.read("apps/vial_none.toml").contains("\nuser = \"vial_has_no_such\"\n"));
}

#[test]
fn for_root_an_app_has_a_user_of_its_own_name_and_for_others_none() {
    let folder = Folder::new();
    assert_eq!(folder.init("vial_none").code, 0);
    let text = folder.read("apps/vial_none.toml");
    assert_eq!(text.contains("\nuser = \"vial_none\"\n"), geteuid().is_root(), "{text}");
}

#[test]
fn a_folder_of_an_ordinary_user_keeps_everything_in_itself() {
    let folder = Folder::new();
    assert_eq!(folder.init("").code, 0);
    let host = folder.config().host;
    let expected = if geteuid().is_root() { "/var/lib/vial".into() } else { folder.at("state") };
    assert_eq!(host.state_dir, expected);
}

#[test]
fn nothing_is_overwritten_and_nothing_is_half_done() {
    let folder = Folder::new();
    fs::create_dir(folder.at("apps")).unwrap();
    fs::write(folder.at("apps/shop.toml"), "mine").unwrap();
    let ran = folder.init("shop");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("exists already and was left as it is"), "{}", ran.err);
    assert_eq!(folder.read("apps/shop.toml"), "mine");
    assert!(!folder.at("vial.toml").exists());

    fs::write(folder.at("vial.toml"), "state_dir = \"elsewhere\"\napps_dir = \"sites\"\n").unwrap();
    let ran = folder.init(&format!("blog {}", user()));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("was there already and stays as it is"), "{}", ran.out);
    assert_eq!(folder.config().host.state_dir, folder.at("elsewhere"));
    assert!(folder.config().apps.contains_key("blog"), "it goes where the host file says");
}

#[test]
fn a_host_file_with_a_mistake_is_not_built_upon() {
    let folder = Folder::new();
    fs::write(folder.at("vial.toml"), "stat_dir = \"x\"\n").unwrap();
    let ran = folder.init("shop");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("did you mean `state_dir`"), "{}", ran.err);
    assert!(!folder.at("apps/shop.toml").exists());
}

#[test]
fn a_second_app_gets_ports_of_its_own_and_takes_nothing_away() {
    let folder = Folder::new();
    assert_eq!(folder.init(&format!("shop --host shop.example {}", user())).code, 0);
    let other = if geteuid().is_root() { "--user daemon" } else { "" };
    for (args, said) in [
        ("--ports 4001,4007", "port 4001 belongs to the app shop already"),
        ("--host SHOP.example", "the host shop.example belongs to the app shop already"),
    ] {
        let ran = folder.init(&format!("blog {args} {other}"));
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains(said), "{}", ran.err);
        assert!(!folder.at("apps/blog.toml").exists());
    }
    if geteuid().is_root() {
        let ran = folder.init("blog --user nobody");
        assert!(ran.err.contains("the user nobody belongs to the app shop"), "{}", ran.err);
    }
    assert_eq!(folder.init(&format!("blog {other}")).code, 0);
    let ports = folder.config().apps["blog"].ports.unwrap();
    assert_eq!((ports.blue, ports.green), (4002, 4003));
}

#[test]
fn ports_are_not_chosen_beside_an_app_whose_own_are_not_known() {
    let folder = Folder::new();
    fs::create_dir(folder.at("apps")).unwrap();
    assert_eq!(folder.init("").code, 0);
    let user_line = if geteuid().is_root() { "user = \"daemon\"\n" } else { "" };
    let blog = format!("name = \"blog\"\n{user_line}prots = 1\n");
    fs::write(folder.at("apps/blog.toml"), blog).unwrap();
    let ran = folder.init(&format!("shop {}", user()));
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("`prots`") && ran.err.contains("--ports"), "{}", ran.err);
    assert_eq!(folder.init(&format!("shop --ports 4000,4001 {}", user())).code, 0);
}

#[test]
fn nonsense_is_refused_as_a_wrong_command_line_and_writes_nothing() {
    let folder = Folder::new();
    for (args, said) in [
        ("../etc", "an app's name cannot be \"../etc\""),
        ("Shop", "a small letter"),
        ("shop-1", "an app's name"),
        ("shop --release a/b", "a release's name"),
        ("shop --host https://a.example", "a host cannot be"),
        ("shop --host a.example{", "a host cannot be"),
        ("shop --user a:b", "a user cannot be"),
        ("shop --user root", "root is root"),
        ("shop --ports 4000,4000", "two different ports"),
        ("--host a.example", "--host says how, for an app"),
    ] {
        let ran = folder.init(args);
        assert_eq!(ran.code, 2, "{args}: {}", ran.err);
        assert!(ran.err.contains(said), "{args}: {}", ran.err);
    }
    assert_eq!(fs::read_dir(folder.at("")).unwrap().count(), 0);
}

#[test]
fn the_configuration_that_is_named_is_the_one_that_is_written() {
    let folder = Folder::new();
    let file = folder.at("my host.toml");
    let ran = vial(&["--config", file.to_str().unwrap(), "init"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains(&format!("vial --config '{}' init NAME", file.display())),
        "{}",
        ran.out
    );
    assert!(file.exists());
}

#[test]
fn json_is_all_that_a_program_reads() {
    let folder = Folder::new();
    let ran = folder.init(&format!("shop --host a.example --json {}", user()));
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(said["wrote"].as_array().unwrap().len(), 2);
    let texts: Vec<&str> =
        said["next"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.starts_with("a.example {\n    import ")), "{texts:?}");
}
