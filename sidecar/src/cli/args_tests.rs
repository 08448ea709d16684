use clap::CommandFactory;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn flags_may_stand_anywhere_and_two_ports_make_a_pair() {
    let parsed = CommandLine::try_parse_from([
        "vial",
        "init",
        "shop",
        "--ports",
        "4000,4001",
        "--host",
        "a",
        "--host",
        "b",
        "--json",
    ])
    .unwrap();
    assert!(parsed.global.json);
    let Command::Init(init) = parsed.command else { panic!("not init") };
    assert_eq!((init.ports, init.hosts), (Some((4000, 4001)), vec!["a".into(), "b".into()]));
}

#[test]
fn a_command_s_own_options_stand_apart_from_everyone_s() {
    let mut command = CommandLine::command();
    command.build();
    let help = command.find_subcommand_mut("rollback").unwrap().render_help().to_string();
    let (own, common) = help.split_once("For every command:").unwrap();
    assert!(own.contains("--to <N>") && !own.contains("--json"), "{help}");
    assert!(common.contains("--socket <PATH>") && !common.contains("--to <N>"), "{help}");
}

#[test]
fn mistakes_are_named() {
    for (line, said) in [
        ("vial logs shop --slot red", "\"red\" is not blue or green"),
        ("vial deploy shop", "<PATH>"),
        ("vial rolback shop", "rollback"),
        ("vial standby shop frosen", "[possible values: cold, warm, frozen]"),
        ("vial standby shop warm --for 30", "a time of 1s to 24h belongs here"),
        ("vial standby shop warm --for 25h", "a time of 1s to 24h belongs here"),
        ("vial history shop --limit 0", "0 is not in 1.."),
        ("vial init shop --ports 4000", "4000,4001"),
        ("vial init shop --ports 4000,4000", "two different ports"),
    ] {
        let error = CommandLine::try_parse_from(line.split(' ')).unwrap_err().to_string();
        assert!(error.contains(said), "{line}: {error}");
    }
}
