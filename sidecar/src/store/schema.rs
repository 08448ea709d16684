//! The tables. A migration is never changed once it was released: a later one is added.

use std::sync::LazyLock;

use rusqlite_migration::{M, Migrations};

/// Forward only.
pub(super) static MIGRATIONS: LazyLock<Migrations<'static>> =
    LazyLock::new(|| Migrations::new(ALL.iter().map(|sql| M::up(sql)).collect()));

/// How many there are: the schema's newest version.
pub(super) const KNOWN: usize = ALL.len();

const ALL: &[&str] = &[
    FIRST,
    MIGRATIONS_BETWEEN_RELEASES,
    HELPERS,
    STOPS,
    ENVIRONMENT,
    BUILDS,
    PUSHES_AND_NOTICES,
    DASHBOARD,
    STANDBY,
];

const FIRST: &str = "
create table settings (
  key text primary key,
  value text not null
) strict, without rowid;

-- One row an app; it stays when the app's file is taken away.
create table apps (
  name text primary key,
  desired text not null default 'running',
  active text,
  serving integer
) strict, without rowid;

create table slots (
  app text not null references apps (name),
  slot text not null,
  release integer,
  primary key (app, slot)
) strict, without rowid;

-- Immutable once written, but for removed_at.
create table releases (
  app text not null references apps (name),
  number integer not null,
  name text not null,
  version text not null,
  sha256 text not null,
  size integer not null,
  erts text,
  elixir text,
  migrations text not null,
  commit_id text,
  unpacked_at integer not null,
  removed_at integer,
  primary key (app, number)
) strict, without rowid;

create table deployments (
  app text not null references apps (name),
  number integer not null,
  kind text not null,
  status text not null,
  release integer,
  slot text,
  replaces integer,
  rolled_back_by integer,
  actor text not null,
  reason text,
  error text,
  queued_at integer not null,
  live_at integer,
  ended_at integer,
  primary key (app, number)
) strict, without rowid;

create index deployments_in_progress on deployments (app, status)
  where status in ('queued', 'building', 'unpacking', 'migrating', 'starting', 'verifying',
                   'switching', 'draining', 'baking', 'succeeded');

create table steps (
  app text not null,
  deployment integer not null,
  position integer not null,
  status text not null,
  started_at integer not null,
  ended_at integer,
  outcome text,
  primary key (app, deployment, position),
  foreign key (app, deployment) references deployments (app, number)
) strict, without rowid;

-- Every process that was started for a slot, and its identity.
create table runs (
  app text not null references apps (name),
  run integer not null,
  slot text not null,
  release integer not null,
  pid integer not null,
  start_ticks integer not null,
  boot_id text not null,
  log_offset integer not null,
  started_at integer not null,
  ended_at integer,
  ending text,
  primary key (app, run)
) strict, without rowid;

create index runs_open on runs (app, slot) where ended_at is null;

-- Answers that were given, so that a repeated request is one request.
create table answers (
  app text not null,
  key text not null,
  request text not null,
  deployment integer,
  message text not null,
  given_at integer not null,
  primary key (app, key)
) strict, without rowid;
";

const MIGRATIONS_BETWEEN_RELEASES: &str = "
-- JSON lists: what a deploy applied; the versions that a rollback was asked to revert; what is down
-- because of it.
alter table deployments add column applied text not null default '[]';
alter table deployments add column reverts text not null default '[]';
alter table deployments add column reverted text not null default '[]';

drop index deployments_in_progress;
create index deployments_in_progress on deployments (app, status)
  where status in ('queued', 'building', 'unpacking', 'migrating', 'starting', 'reverting',
                   'verifying', 'restoring', 'switching', 'draining', 'baking', 'succeeded');
";

const HELPERS: &str = "
-- Every program that was run of a release beside its slots, and its identity. Closed rows go after a
-- month.
create table helpers (
  id integer primary key autoincrement,
  app text not null references apps (name),
  purpose text not null,
  deployment integer,
  marker text not null,
  pid integer not null,
  start_ticks integer not null,
  boot_id text not null,
  started_at integer not null,
  ended_at integer,
  ending text
) strict;

create index helpers_open on helpers (app) where ended_at is null;
create index helpers_of_deployment on helpers (app, deployment) where deployment is not null;
";

const STOPS: &str = "
-- Runs that were told to end. A row may come before that of its run, and goes when the run has ended.
create table stops (
  app text not null references apps (name),
  run integer not null,
  primary key (app, run)
) strict, without rowid;
";

const ENVIRONMENT: &str = "
-- Each change of an app's environment makes a version, counted from 1; 0 is the empty one.
create table environment_versions (
  app text not null references apps (name),
  version integer not null,
  made_at integer not null,
  actor text not null,
  primary key (app, version)
) strict, without rowid;

-- What a version made of a name. A value is sealed, with the app, the name and the version; it is
-- absent where the name was unset.
create table environment_values (
  app text not null,
  name text not null,
  version integer not null,
  secret integer not null,
  sealed blob,
  primary key (app, name, version),
  foreign key (app, version) references environment_versions (app, version)
) strict, without rowid;

-- The version that a deployment's release was started with last; the one that a slot's release is
-- started with, and which was the newest when it was started.
alter table deployments add column environment integer not null default 0;
alter table slots add column environment integer not null default 0;
alter table slots add column fresh integer not null default 0;
";

const BUILDS: &str = "
-- JSON: what a deployment builds, and the commit that it built.
alter table deployments add column build text;
alter table deployments add column built_commit text;
";

const PUSHES_AND_NOTICES: &str = "
-- What is kept of an app's auto-deploy: whether a person wants it (null: as its file says), a push
-- that was told of and not looked at yet, and the commit that was deployed by itself last.
create table auto_deploy (
  app text primary key references apps (name),
  wanted integer,
  set_by text,
  pushed_at integer,
  tried text,
  tried_as integer
) strict, without rowid;

-- What marks the deliveries of webhooks that were taken, so that a replay is known.
create table deliveries (
  app text not null references apps (name),
  mark text not null,
  came_at integer not null,
  primary key (app, mark)
) strict, without rowid;

create index deliveries_by_time on deliveries (app, came_at);

-- What others are to be told. A row goes when it was delivered, or a week after it was given up.
create table outbox (
  row integer primary key autoincrement,
  app text not null references apps (name),
  target text not null,
  payload text not null,
  made_at integer not null,
  attempts integer not null default 0,
  next_at integer not null,
  error text,
  given_up_at integer
) strict;

create index outbox_due on outbox (next_at) where given_up_at is null;
";

const DASHBOARD: &str = "
-- Who gets in by the dashboard's address. A password is an argon2id hash in its PHC string.
create table users (
  name text primary key,
  role text not null,
  password text not null,
  made_at integer not null,
  made_by text not null,
  seen_at integer
) strict, without rowid;

-- What opens a session, a token or a link is never here: its SHA-256 is.
create table sessions (
  id text primary key,
  hash blob not null,
  user text not null references users (name) on delete cascade,
  made_at integer not null,
  seen_at integer not null,
  fresh_until integer,
  address text not null,
  agent text not null
) strict, without rowid;

create index sessions_of_user on sessions (user);

create table tokens (
  id text primary key,
  hash blob not null,
  name text not null,
  role text not null,
  made_at integer not null,
  made_by text not null,
  used_at integer,
  expires_at integer not null
) strict, without rowid;

create table links (
  id text primary key,
  hash blob not null,
  user text not null,
  role text not null,
  made_by text not null,
  expires_at integer not null
) strict, without rowid;

-- Who did what. The oldest go when there are very many.
create table audit (
  number integer primary key autoincrement,
  at integer not null,
  actor text not null,
  by text,
  from_where text,
  action text not null,
  app text,
  detail text,
  outcome text not null
) strict;

create index audit_of_app on audit (app, number);
create index audit_done on audit (number) where outcome = 'ok';
create index audit_refused on audit (number) where outcome <> 'ok';
";

const STANDBY: &str = "
-- What an idle slot is kept as (null: it is not), whether it is so already, since when, and for how
-- many milliseconds from then; and the slot whose release may do what only one may (null: none).
alter table slots add column standby text;
alter table slots add column standby_ready integer not null default 0;
alter table slots add column standby_since integer;
alter table slots add column standby_ms integer;
alter table apps add column works text;

-- Whether the library in the slot's release has ever said whether it is at rest.
alter table slots add column speaks integer not null default 0;
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_migrations_fit_one_another() {
        assert!(super::MIGRATIONS.validate().is_ok());
    }
}
