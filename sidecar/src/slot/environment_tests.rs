//! What is in the environment of a start.

use super::*;

fn start() -> StartEnvironment {
    StartEnvironment {
        app: "shop".into(),
        release_name: "shop_release".into(),
        slot: Slot::Blue,
        run_id: "run-1".into(),
        port: Some(4000),
        node_host: "127.0.0.1".into(),
        cookie: "COOKIE".into(),
        helper_cookie: None,
        nodes: "/nodes".into(),
        mode: None,
        tmp: "/slots/blue/tmp".into(),
        crash_dump: "/slots/blue/erl_crash.dump".into(),
        home: "/home/shop".into(),
        user: "shop".into(),
        vial_socket: "/run/vial/vial.sock".into(),
        nif: Some("/usr/lib/vial/libvial_nif.so".into()),
        epmd_port: 4370,
        distribution: Distribution::Loopback,
        inherited: vec![],
        env_file: vec![],
        kept: vec![],
        slot_env: vec![],
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn get<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    let mut found = variables.iter().filter(|(n, _)| n == name);
    let value = found.next().map(|(_, value)| value.to_str().unwrap());
    assert!(found.next().is_none(), "{name} is there once");
    value
}

#[test]
fn a_release_learns_its_place() {
    let variables = start().for_start();
    for (name, value) in [
        ("PORT", "4000"),
        ("RELEASE_NODE", "shop_blue@127.0.0.1"),
        ("RELEASE_COOKIE", "COOKIE"),
        ("RELEASE_TMP", "/slots/blue/tmp"),
        ("RELEASE_DISTRIBUTION", "none"),
        ("PHX_SERVER", "true"),
        ("VIAL_APP", "shop"),
        ("VIAL_SLOT", "blue"),
        ("VIAL_RUN", "run-1"),
        ("VIAL_SOCKET", "/run/vial/vial.sock"),
        ("VIAL_NIF", "/usr/lib/vial/libvial_nif.so"),
        ("ERL_CRASH_DUMP", "/slots/blue/erl_crash.dump"),
        ("ERL_EPMD_PORT", "4370"),
        ("ERL_EPMD_ADDRESS", "127.0.0.1"),
        ("HOME", "/home/shop"),
    ] {
        assert_eq!(get(&variables, name), Some(value), "{name}");
    }
}

#[test]
fn little_of_the_daemons_environment_is_inherited() {
    let inherited = [
        ("PATH", "/opt/bin"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("TZ", "Europe/Berlin"),
        ("NOTIFY_SOCKET", "/run/systemd/notify"),
        ("LISTEN_FDS", "1"),
        ("RELEASE_NODE", "x"),
        ("BINDIR", "/x"),
        ("ROOTDIR", "/x"),
        ("EMU", "x"),
        ("PROGNAME", "x"),
        ("HOME", "/root"),
        ("USER", "root"),
        ("VIAL_TOKEN", "secret"),
        ("ERL_FLAGS", "x"),
    ];
    let inherited = inherited.map(|(name, value)| (name.into(), value.into())).to_vec();
    let variables = StartEnvironment { inherited, ..start() }.for_start();
    assert_eq!(get(&variables, "PATH"), Some("/opt/bin"));
    assert_eq!(get(&variables, "LC_ALL"), Some("de_DE.UTF-8"));
    assert_eq!(get(&variables, "TZ"), Some("Europe/Berlin"));
    assert_eq!(get(&variables, "HOME"), Some("/home/shop"));
    assert_eq!(get(&variables, "USER"), Some("shop"));
    assert_eq!(get(&variables, "RELEASE_NODE"), Some("shop_blue@127.0.0.1"));
    for name in [
        "NOTIFY_SOCKET",
        "LISTEN_FDS",
        "BINDIR",
        "ROOTDIR",
        "EMU",
        "PROGNAME",
        "VIAL_TOKEN",
        "ERL_FLAGS",
    ] {
        assert_eq!(get(&variables, name), None, "{name}");
    }
}

#[test]
fn an_app_sets_what_is_its_own_and_the_slot_has_the_last_word_of_the_two() {
    let variables = StartEnvironment {
        env_file: pairs(&[
            ("DATABASE_URL", "ecto://x"),
            ("METRICS_PORT", "1"),
            ("PHX_SERVER", ""),
            ("RELEASE_MODE", "interactive"),
            ("LANG", "fr_FR.UTF-8"),
            ("POOL_SIZE", "10"),
        ]),
        kept: pairs(&[("POOL_SIZE", "20"), ("METRICS_PORT", "2"), ("VIAL_SOCKET", "/x")]),
        slot_env: pairs(&[("METRICS_PORT", "9568")]),
        ..start()
    }
    .for_start();
    assert_eq!(get(&variables, "DATABASE_URL"), Some("ecto://x"));
    assert_eq!(get(&variables, "METRICS_PORT"), Some("9568"));
    assert_eq!(get(&variables, "POOL_SIZE"), Some("20"));
    assert_ne!(get(&variables, "VIAL_SOCKET"), Some("/x"));
    assert_eq!(get(&variables, "PHX_SERVER"), Some(""));
    assert_eq!(get(&variables, "RELEASE_MODE"), Some("interactive"));
    assert_eq!(get(&variables, "LANG"), Some("fr_FR.UTF-8"));
}

#[test]
fn what_would_not_reach_a_release_is_reserved_and_all_else_is_not() {
    let environment = start();
    for (name, value) in environment.for_start().iter().chain(&environment.for_remote()) {
        let name = name.to_str().unwrap();
        let theirs = pairs(&[(name, "theirs")]);
        let set = StartEnvironment { kept: theirs, ..start() }.for_start();
        let heard = get(&set, name).is_some_and(|now| now.contains("theirs"));
        assert_eq!(reserved(name, true).is_none(), heard, "{name} was {value:?}");
    }
    assert!(DROPPED.iter().all(|name| reserved(name, true).is_some()));
    assert!(reserved("PORT", false).is_none(), "a worker's port is its own");
    assert!(reserved("RELEASE_MODE", true).is_none());
}

#[test]
fn an_app_cannot_move_out_of_its_slot() {
    let names = [
        "PORT",
        "RELEASE_NODE",
        "RELEASE_COOKIE",
        "RELEASE_TMP",
        "RELEASE_DISTRIBUTION",
        "RELEASE_NAME",
        "VIAL_RUN",
        "VIAL_APP",
        "VIAL_SLOT",
        "VIAL_SOCKET",
        "ERL_EPMD_PORT",
        "ERL_EPMD_ADDRESS",
        "ERL_CRASH_DUMP",
    ];
    let theirs = || names.iter().map(|name| ((*name).to_owned(), "theirs".to_owned())).collect();
    let mut environment = StartEnvironment { env_file: theirs(), slot_env: theirs(), ..start() };
    environment.env_file.extend(DROPPED.map(|name| (name.to_owned(), "theirs".to_owned())));
    for variables in [environment.for_start(), environment.for_helper(), environment.for_remote()] {
        assert!(variables.iter().all(|(_, value)| value != "theirs"), "{variables:?}");
    }
}

#[test]
fn the_emulator_hears_our_flags_before_the_apps_own() {
    let env_file = pairs(&[("ERL_AFLAGS", "+sbwt none -name theirs@x")]);
    let flags = |environment: &StartEnvironment| {
        get(&environment.for_start(), "ERL_AFLAGS").unwrap().to_owned()
    };
    let loopback = StartEnvironment { env_file, ..start() };
    assert_eq!(
        flags(&loopback),
        "-name shop_blue@127.0.0.1 -start_epmd false \
         -kernel inet_dist_use_interface {127,0,0,1} +sbwt none -name theirs@x"
    );
    let cluster = StartEnvironment { distribution: Distribution::Cluster, ..start() };
    assert!(!flags(&cluster).contains("inet_dist_use_interface"));
    assert_eq!(get(&cluster.for_start(), "ERL_EPMD_ADDRESS"), None);
}

#[test]
fn a_helper_has_no_name_and_serves_nothing() {
    let env_file = pairs(&[("PHX_SERVER", "true"), ("ERL_AFLAGS", "+sbwt none")]);
    let environment = StartEnvironment { env_file, ..start() };
    let variables = environment.for_helper();
    assert_eq!(get(&variables, "RELEASE_DISTRIBUTION"), Some("none"));
    assert_eq!(get(&variables, "PHX_SERVER"), None);
    assert_eq!(get(&variables, "ERL_AFLAGS"), Some("+sbwt none"));
    let remote = environment.for_remote();
    assert_eq!(get(&remote, "RELEASE_NODE"), Some("shop_blue@127.0.0.1"));
    assert!(!get(&remote, "ERL_AFLAGS").unwrap().contains("-name"));
}

#[test]
fn what_is_configured_for_the_mode_wins_over_the_apps_own_environment() {
    let env_file = pairs(&[("RELEASE_MODE", "embedded")]);
    let own = StartEnvironment { env_file, ..start() };
    assert_eq!(get(&own.for_start(), "RELEASE_MODE"), Some("embedded"));
    let set = StartEnvironment { mode: Some("interactive"), ..own };
    assert_eq!(get(&set.for_start(), "RELEASE_MODE"), Some("interactive"));
}

#[test]
fn no_helper_needs_the_cookie_on_its_command_line() {
    let environment = StartEnvironment {
        helper_cookie: Some("nobodys".into()),
        home: "/home/the shop".into(),
        ..start()
    };
    // The release's script gives this one to its node as an argument.
    assert_eq!(get(&environment.for_helper(), "RELEASE_COOKIE"), Some("nobodys"));
    let remote = environment.for_remote_by_file();
    assert_eq!(get(&remote, "XDG_CONFIG_HOME"), Some("/nodes"));
    let flags = get(&remote, "ERL_AFLAGS").unwrap();
    assert!(flags.starts_with("-start_epmd false -home /home/the\\ shop "), "{flags}");
}
