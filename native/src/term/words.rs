//! Every fixed word of the protocol: an atom in Elixir, spelled as in JSON.

use rustler::{Env, Term};
use vial_protocol::migration::Applied;
use vial_protocol::{
    Code, Desired, Effect, Kind, MigrationChoice, Reversal, Slot, SlotState, StandbyMode, Status,
    Trigger,
};

use super::{ToTerm, word};

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl ToTerm for $type {
            fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
                let spelled = match self {
                    $($type::$variant => $word),+
                };
                word(env, spelled).to_term(env)
            }
        }

        #[cfg(test)]
        impl tests::Spelled for $type {
            fn spelled() -> Vec<($type, &'static str)> {
                vec![$(($type::$variant, $word)),+]
            }
        }
    };
}

words!(Slot {
    Blue => "blue",
    Green => "green",
});
words!(Kind {
    Deploy => "deploy",
    Rollback => "rollback",
    Redeploy => "redeploy",
    Restart => "restart",
});
words!(Status {
    Queued => "queued",
    Building => "building",
    Unpacking => "unpacking",
    Migrating => "migrating",
    Starting => "starting",
    Reverting => "reverting",
    Verifying => "verifying",
    Restoring => "restoring",
    Switching => "switching",
    Draining => "draining",
    Baking => "baking",
    Succeeded => "succeeded",
    Failed => "failed",
    Cancelled => "cancelled",
    RolledBack => "rolled_back",
    Superseded => "superseded",
});
words!(Trigger {
    ByHand => "by_hand",
    Push => "push",
    Webhook => "webhook",
    Poll => "poll",
});
words!(Desired {
    Running => "running",
    Stopped => "stopped",
});
words!(SlotState {
    Stopped => "stopped",
    Starting => "starting",
    Running => "running",
    Resting => "resting",
    Frozen => "frozen",
    Stopping => "stopping",
    Backoff => "backoff",
});
words!(StandbyMode {
    Cold => "cold",
    Warm => "warm",
    Frozen => "frozen",
});
words!(Effect {
    Additive => "additive",
    Destructive => "destructive",
    Unknown => "unknown",
});
words!(Reversal {
    Reversible => "reversible",
    Irreversible => "irreversible",
    Unknown => "unknown",
});
words!(MigrationChoice {
    Keep => "keep",
    Revert => "revert",
});
words!(Applied {
    Up => "up",
    Down => "down",
});
words!(Code {
    UnknownApp => "unknown_app",
    NotFound => "not_found",
    Forbidden => "forbidden",
    BadRequest => "bad_request",
    TooLarge => "too_large",
    InProgress => "in_progress",
    NothingInProgress => "nothing_in_progress",
    AlreadyLive => "already_live",
    NothingToRollBackTo => "nothing_to_roll_back_to",
    AlreadyServing => "already_serving",
    NotRetained => "not_retained",
    StalePlan => "stale_plan",
    KeyReused => "key_reused",
    NothingDeployed => "nothing_deployed",
    NotRunning => "not_running",
    WrongState => "wrong_state",
    Destructive => "destructive",
    Irreversible => "irreversible",
    Configuration => "configuration",
    ShuttingDown => "shutting_down",
    LoginNeeded => "login_needed",
    PasswordNeeded => "password_needed",
    TooManyRequests => "too_many_requests",
    Misdirected => "misdirected",
    AlreadyThere => "already_there",
    BadRelease => "bad_release",
    NoSpace => "no_space",
    BuildFailed => "build_failed",
    MigrationFailed => "migration_failed",
    RevertFailed => "revert_failed",
    StartFailed => "start_failed",
    Exited => "exited",
    Unhealthy => "unhealthy",
    PortTaken => "port_taken",
    VerifyFailed => "verify_failed",
    SwitchFailed => "switch_failed",
    BakeFailed => "bake_failed",
    Interrupted => "interrupted",
    Cancelled => "cancelled",
    CrashLoop => "crash_loop",
    Route => "route",
    ActiveUnhealthy => "active_unhealthy",
    Notification => "notification",
    Internal => "internal",
});

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;

    use super::*;

    pub(super) trait Spelled: Sized {
        fn spelled() -> Vec<(Self, &'static str)>;
    }

    fn check<T: Spelled + Serialize + Debug>() {
        for (value, word) in T::spelled() {
            assert_eq!(serde_json::to_value(&value).unwrap(), word, "{value:?}");
        }
    }

    #[test]
    fn every_word_is_spelled_as_in_json() {
        check::<Slot>();
        check::<Kind>();
        check::<Status>();
        check::<Trigger>();
        check::<Desired>();
        check::<SlotState>();
        check::<StandbyMode>();
        check::<Effect>();
        check::<Reversal>();
        check::<MigrationChoice>();
        check::<Applied>();
        check::<Code>();
    }
}
