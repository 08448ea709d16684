//! Every struct of the protocol, and the module that it is in Elixir.

use rustler::{Encoder, Env, Term};
use vial_protocol::migration::{MigrationState, MigrationsReport, Moved};
use vial_protocol::plan::DatabasePlan;
use vial_protocol::request::{Accepted, Evaluated, Migrated};
use vial_protocol::source::{AutoDeploy, Failing};
use vial_protocol::standby::Rested;
use vial_protocol::{
    AppStatus, Build, Commit, DaemonStatus, Deployment, EnvironmentPlan, Event, Health, LogChunk,
    LogLine, Migration, Plan, Problem, Release, RollbackOffer, RouteStatus, SlotStatus, Standby,
    Standing, Step,
};

use super::{Shape, ToTerm, word};

macro_rules! structure {
    ($type:ident => $module:literal { $($field:ident),+ $(,)? }) => {
        impl ToTerm for $type {
            fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
                static SHAPE: Shape = Shape::new($module, &[$(stringify!($field)),+]);
                let $type { $($field),+ } = self;
                SHAPE.fill(env, &[$($field.to_term(env)),+])
            }
        }
    };
}

structure!(DaemonStatus => "Elixir.Vial.Daemon" { version, pid, started_at, apps, problems });
structure!(AppStatus => "Elixir.Vial.Status" {
    name, revision, desired, active, works, serving, serving_since, slots, deployment, queued, last,
    rollback, route, auto_deploy, warnings,
});
structure!(AutoDeploy => "Elixir.Vial.AutoDeploy" {
    on, branch, set_by, poll_ms, tip, looked_at, note, failing,
});
structure!(Failing => "Elixir.Vial.AutoDeploy.Failing" { since, attempts, error, next_at });
structure!(SlotStatus => "Elixir.Vial.Slot" {
    slot, state, release, port, node, pid, since, restarts, health, last_exit,
    standby,
});
structure!(Standby => "Elixir.Vial.Standby" { mode, ready, since, until, expected_ms });
structure!(Rested => "Elixir.Vial.Rested" { frozen });
structure!(Health => "Elixir.Vial.Health" { healthy, detail, since });
structure!(RollbackOffer => "Elixir.Vial.Offer" { target, refusal });
structure!(RouteStatus => "Elixir.Vial.Route" { mode, hosts, problem });
structure!(Deployment => "Elixir.Vial.Deployment" {
    number, kind, status, release, slot, replaces, rolled_back_by, actor, reason, error, queued_at,
    live_at, ended_at, applied, reverts, reverted, environment, build, commit, steps,
});
structure!(Build => "Elixir.Vial.Build" { reference, sha, of, trigger, allow_destructive });
structure!(Commit => "Elixir.Vial.Commit" { sha, reference, subject });
structure!(Step => "Elixir.Vial.Step" { status, started_at, ended_at, outcome });
structure!(Release => "Elixir.Vial.Release" {
    number, name, version, sha256, size, erts, elixir, migrations, unpacked_at, commit,
});
structure!(Plan => "Elixir.Vial.Plan" {
    app, from, from_deployment, to, to_deployment, to_last_live_at, to_served_ms, to_health,
    expected_ms, slot, hot, standby, cancels, migrations, applies, database, environment, warnings, digest,
});
structure!(EnvironmentPlan => "Elixir.Vial.Plan.Environment" {
    version, today, differs, renewed,
});
structure!(LogChunk => "Elixir.Vial.Log" { slot, lines, cursor, gap });
structure!(LogLine => "Elixir.Vial.Log.Line" { at, text });
structure!(Accepted => "Elixir.Vial.Accepted" { deployment, message });
structure!(Evaluated => "Elixir.Vial.Evaluated" { output, status, truncated });
structure!(MigrationsReport => "Elixir.Vial.Migrations.Report" { release, label, migrations });
structure!(MigrationState => "Elixir.Vial.Migrations.State" {
    repo, version, name, applied, migration,
});
structure!(Moved => "Elixir.Vial.Migrations.Moved" { repo, version });
structure!(Migrated => "Elixir.Vial.Migrations.Migrated" { release, moved, message });

impl ToTerm for Migration {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        migration(env, self, None)
    }
}

impl ToTerm for Standing {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        let Standing { migration: standing, brought_by } = self;
        migration(env, standing, Some(*brought_by))
    }
}

fn migration<'a>(env: Env<'a>, migration: &Migration, brought_by: Option<u64>) -> Term<'a> {
    static SHAPE: Shape = Shape::new(
        "Elixir.Vial.Migration",
        &["version", "name", "app", "folder", "effect", "reversal", "does", "loses", "brought_by"],
    );
    let Migration { version, name, app, folder, effect, reversal, does, loses } = migration;
    SHAPE.fill(
        env,
        &[
            version.to_term(env),
            name.to_term(env),
            app.to_term(env),
            folder.to_term(env),
            effect.to_term(env),
            reversal.to_term(env),
            does.to_term(env),
            loses.to_term(env),
            brought_by.to_term(env),
        ],
    )
}

impl ToTerm for DatabasePlan {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        match self {
            DatabasePlan::Unchanged => word(env, "unchanged").to_term(env),
            DatabasePlan::Keep => word(env, "keep").to_term(env),
            DatabasePlan::Revert { versions } => {
                (word(env, "revert"), versions.to_term(env)).encode(env)
            }
            DatabasePlan::Choose { choices } => {
                (word(env, "choose"), choices.to_term(env)).encode(env)
            }
        }
    }
}

impl ToTerm for Event {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        match self {
            Event::App(status) => (word(env, "app"), status.to_term(env)).encode(env),
            Event::AppRemoved { name } => (word(env, "app_removed"), name.to_term(env)).encode(env),
            // A node asks for no build's log.
            Event::BuildLog(_) => word(env, "build_log").to_term(env),
            Event::Log(chunk) => (word(env, "log"), chunk.to_term(env)).encode(env),
        }
    }
}

impl ToTerm for Problem {
    fn to_term<'a>(&self, env: Env<'a>) -> Term<'a> {
        let Problem { code, message, next, log, plan } = self;
        error(env, code.to_term(env), message, next, log, plan)
    }
}

/// `Vial.Error`, which is an exception too.
pub(super) fn error<'a>(
    env: Env<'a>,
    reason: Term<'a>,
    message: &str,
    next: &Option<String>,
    log: &[String],
    plan: &Option<Box<Plan>>,
) -> Term<'a> {
    static SHAPE: Shape = Shape::new(
        "Elixir.Vial.Error",
        &["__exception__", "reason", "message", "next", "log", "plan"],
    );
    let log: Vec<Term> = log.iter().map(|line| line.to_term(env)).collect();
    SHAPE.fill(
        env,
        &[
            true.encode(env),
            reason,
            message.to_term(env),
            next.to_term(env),
            log.encode(env),
            plan.to_term(env),
        ],
    )
}
