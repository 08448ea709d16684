//! Whatever the order of commands, facts and crashes, the invariants hold.
//!
//! The machine runs against a small world of processes and a route, and against the real store in
//! memory. A crash forgets all but the store, the processes and the route.

mod standby;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use vial_protocol::{EnvironmentChoice, MigrationChoice, Slot, StandbyMode};

use self::world::World;
use super::Settings;

/// How a crash comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It does not.
    None,
    /// Before the records are committed.
    BeforeCommit,
    /// After the records are committed, before any effect.
    AfterCommit,
}

#[derive(Debug, Clone)]
enum Op {
    Deploy {
        allow_destructive: bool,
    },
    Build {
        again: Option<u64>,
    },
    Rollback {
        to: Option<u64>,
        cancel: bool,
        migrations: Option<MigrationChoice>,
        env: EnvironmentChoice,
    },
    Restart {
        in_place: bool,
    },
    Cancel,
    Stop,
    Start,
    ChangeEnvironment {
        secret: bool,
    },
    Keep(StandbyMode),
    /// The library in a slot hears who shall work.
    Hear(Slot),
    /// A pending effect comes to its end, well or not.
    Finish {
        which: usize,
        well: bool,
    },
    Exit(Slot),
    Sick(Slot),
    /// The daemon dies and comes back; a bit a slot says whether its process died meanwhile.
    Crash {
        dead: (bool, bool),
        half_switched: bool,
    },
}

fn mode() -> impl Strategy<Value = StandbyMode> {
    prop_oneof![Just(StandbyMode::Cold), Just(StandbyMode::Warm), Just(StandbyMode::Frozen)]
}

fn op() -> impl Strategy<Value = (Op, Cut)> {
    let slot = prop_oneof![Just(Slot::Blue), Just(Slot::Green)];
    let op = prop_oneof![
        3 => prop::bool::weighted(0.8).prop_map(|allow_destructive| Op::Deploy { allow_destructive }),
        2 => prop_oneof![2 => Just(None), 1 => (1u64..8).prop_map(Some)]
            .prop_map(|again| Op::Build { again }),
        2 => (
            prop_oneof![3 => Just(None), 1 => (1u64..8).prop_map(Some)],
            any::<bool>(),
            prop_oneof![
                1 => Just(None),
                1 => Just(Some(MigrationChoice::Keep)),
                2 => Just(Some(MigrationChoice::Revert)),
            ],
            prop_oneof![3 => Just(EnvironmentChoice::Own), 1 => Just(EnvironmentChoice::Current)],
        )
            .prop_map(|(to, cancel, migrations, env)| Op::Rollback { to, cancel, migrations, env }),
        2 => any::<bool>().prop_map(|secret| Op::ChangeEnvironment { secret }),
        1 => any::<bool>().prop_map(|in_place| Op::Restart { in_place }),
        1 => mode().prop_map(Op::Keep),
        4 => slot.clone().prop_map(Op::Hear),
        1 => Just(Op::Cancel),
        1 => Just(Op::Stop),
        1 => Just(Op::Start),
        24 => (any::<usize>(), prop::bool::weighted(0.85))
            .prop_map(|(which, well)| Op::Finish { which, well }),
        2 => slot.clone().prop_map(Op::Exit),
        1 => slot.prop_map(Op::Sick),
        1 => ((prop::bool::weighted(0.3), prop::bool::weighted(0.3)), any::<bool>())
            .prop_map(|(dead, half_switched)| Op::Crash { dead, half_switched }),
    ];
    let cut = prop_oneof![
        20 => Just(Cut::None),
        1 => Just(Cut::BeforeCommit),
        1 => Just(Cut::AfterCommit),
    ];
    (op, cut)
}

/// What happens around a standby, rather than on the way to one.
fn op_around() -> impl Strategy<Value = (Op, Cut)> {
    let hear = prop_oneof![Just(Slot::Blue), Just(Slot::Green)].prop_map(Op::Hear);
    let back = Op::Rollback {
        to: None,
        cancel: true,
        migrations: Some(MigrationChoice::Keep),
        env: EnvironmentChoice::Own,
    };
    let finish = (any::<usize>(), prop::bool::weighted(0.9))
        .prop_map(|(which, well)| Op::Finish { which, well });
    let cut = prop_oneof![
        4 => Just(Cut::None),
        1 => Just(Cut::BeforeCommit),
        1 => Just(Cut::AfterCommit),
    ];
    let around =
        prop_oneof![3 => hear, 1 => mode().prop_map(Op::Keep), 3 => Just(back), 8 => finish];
    prop_oneof![3 => (around, cut), 1 => op()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold_around_a_standby(
        standby in mode(),
        otherwise in prop_oneof![Just(StandbyMode::Cold), Just(StandbyMode::Warm)],
        bakes in any::<bool>(),
        ops in prop::collection::vec(op_around(), 1..40),
    ) {
        let lasts = Duration::from_secs(900);
        let settings = Settings { migrates: false, bakes, standby, otherwise, lasts };
        let mut world = World::new(settings);
        world.deploys_twice();
        for (op, cut) in ops {
            world.play(op, cut);
        }
        world.comes_to_rest();
    }

    #[test]
    fn the_invariants_hold_whatever_happens(
        migrates in any::<bool>(),
        bakes in any::<bool>(),
        standby in mode(),
        otherwise in prop_oneof![Just(StandbyMode::Cold), Just(StandbyMode::Warm)],
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let lasts = Duration::from_secs(900);
        let mut world = World::new(Settings { migrates, bakes, standby, otherwise, lasts });
        for (op, cut) in ops {
            world.play(op, cut);
        }
        world.comes_to_rest();
    }
}
