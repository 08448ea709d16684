//! The daemon's unit, as systemd has it in effect: what a drop-in changes decides what happens to
//! the slots when the daemon goes.

use std::path::{Path, PathBuf};

use super::finding::{Finding, Level};
use super::program;
use super::scene::Scene;

const SUBJECT: &str = "unit";
const UNIT: &str = "vial.service";
const PROPERTIES: &str = "--property=LoadState,MainPID,FragmentPath,DropInPaths,NeedDaemonReload,\
                          KillMode,PrivateTmp,WatchdogUSec,OOMPolicy,Restart,\
                          StartLimitIntervalUSec,Delegate";

pub(super) async fn check(scene: &Scene) -> Vec<Finding> {
    // Where there is no systemd, or it does not run this host, there is nothing to say.
    let Ok(text) = program::ask("systemctl", &["show", UNIT, PROPERTIES]).await else {
        return Vec::new();
    };
    let unit = Unit::read(&text);
    if unit.is_of(scene) { unit.judge() } else { Vec::new() }
}

/// What systemd says of the unit, by key.
struct Unit<'a>(Vec<(&'a str, &'a str)>);

/// A setting, how it must be, and what it does otherwise.
struct Rule {
    /// As systemd prints it.
    property: &'static str,
    /// As it is written in a unit.
    setting: &'static str,
    right: &'static [&'static str],
    write: &'static str,
    level: Level,
    why: &'static str,
    /// What to do after the file was corrected, where reading it again is not enough.
    then: &'static str,
}

const AT_ONCE: &str = "Do it before the daemon ends for any reason; no restart is needed.";
const RESTART: &str = "Then `systemctl restart vial`; the slots run on.";

const RULES: [Rule; 7] = [
    Rule {
        property: "KillMode",
        setting: "KillMode",
        right: &["process"],
        write: "process",
        level: Level::Problem,
        why: "systemd ends every slot together with the daemon, so that each restart, upgrade or \
              crash of it takes the apps down.",
        then: AT_ONCE,
    },
    Rule {
        property: "PrivateTmp",
        setting: "PrivateTmp",
        right: &["no"],
        write: "no",
        level: Level::Warning,
        why: "slots outlive the daemon, and from its next restart on they cannot write into /tmp.",
        then: "Then `systemctl restart vial`, and `vial restart APP` for each app: what runs now \
               keeps the /tmp that it has.",
    },
    Rule {
        property: "WatchdogUSec",
        setting: "WatchdogSec",
        right: &[],
        write: "30s",
        level: Level::Warning,
        why: "a daemon that hangs stays so until somebody notices.",
        then: RESTART,
    },
    Rule {
        property: "Restart",
        setting: "Restart",
        right: &["always"],
        write: "always",
        level: Level::Warning,
        why: "a daemon that ended stays away, and nobody restarts a slot that exits meanwhile.",
        then: AT_ONCE,
    },
    Rule {
        property: "StartLimitIntervalUSec",
        setting: "StartLimitIntervalSec",
        right: &["0", "infinity"],
        write: "0",
        level: Level::Warning,
        why: "after a few failed starts in a row systemd does not start the daemon any more.",
        then: AT_ONCE,
    },
    Rule {
        property: "OOMPolicy",
        setting: "OOMPolicy",
        right: &["continue"],
        write: "continue",
        level: Level::Warning,
        why: "when the kernel ends one slot for want of memory, systemd stops the daemon too.",
        then: RESTART,
    },
    Rule {
        property: "Delegate",
        setting: "Delegate",
        right: &["yes"],
        write: "yes",
        level: Level::Hint,
        why: "slots get no cgroups of their own, and a process that left its parents and cleared \
              its environment is not ended with its slot.",
        then: RESTART,
    },
];

impl<'a> Unit<'a> {
    fn read(text: &'a str) -> Unit<'a> {
        Unit(text.lines().filter_map(|line| line.split_once('=')).collect())
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value.trim())
    }

    /// Whether the daemon in question is the unit's: by its process, or, where it is away, by the
    /// host's usual configuration.
    fn is_of(&self, scene: &Scene) -> bool {
        if self.value("LoadState") != Some("loaded") {
            return false;
        }
        match &scene.daemon {
            Ok(daemon) => self.value("MainPID") == Some(daemon.pid.to_string().as_str()),
            Err(_) => scene.is_usual(),
        }
    }

    fn judge(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = RULES.iter().filter_map(|rule| self.apply(rule)).collect();
        if self.value("NeedDaemonReload") == Some("yes") {
            findings.push(Finding::warning(
                SUBJECT,
                format!("The files of {UNIT} were changed, and systemd has not read them since."),
                "Run `systemctl daemon-reload`.",
            ));
        }
        if findings.iter().all(|finding| !finding.level.is_wrong()) {
            findings.insert(0, Finding::ok(SUBJECT, format!("{UNIT} lets the slots outlive it.")));
        }
        findings
    }

    /// What is wrong by a rule; nothing where this systemd does not know the setting.
    fn apply(&self, rule: &Rule) -> Option<Finding> {
        let value = self.value(rule.property)?;
        let off = matches!(value, "" | "0" | "infinity");
        // The watchdog alone has no one right value: any time will do.
        let right = if rule.right.is_empty() { !off } else { rule.right.contains(&value) };
        if right {
            return None;
        }
        let Rule { setting, write, why, then, level, .. } = rule;
        let is = match rule.right.is_empty() {
            true => format!("has no {setting}"),
            false => format!("has {setting}={value}"),
        };
        let mend = match self.place(setting) {
            Some(file) => format!("Write `{setting}={write}` in {}", file.display()),
            None => format!("Run `systemctl edit vial`, write `{setting}={write}` there"),
        };
        let section = if setting.starts_with("StartLimit") { "[Unit]" } else { "[Service]" };
        Some(Finding {
            level: *level,
            ..Finding::problem(
                SUBJECT,
                format!("{UNIT} {is}: {why}"),
                format!("{mend} (under {section}), then `systemctl daemon-reload`. {then}"),
            )
        })
    }

    /// The file that has the last word on a setting.
    fn place(&self, setting: &str) -> Option<PathBuf> {
        let drop_ins = self.value("DropInPaths").unwrap_or_default();
        let mut files = drop_ins.split_ascii_whitespace().rev();
        // What the package brought is not to be edited: a drop-in of its own beats it.
        files.find(|file| sets(Path::new(file), setting)).map(PathBuf::from)
    }
}

fn sets(file: &Path, setting: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| line.trim().strip_prefix(setting).is_some_and(|it| it.starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "LoadState=loaded\nMainPID=7\nDropInPaths=\nNeedDaemonReload=no\n\
        KillMode=process\nPrivateTmp=no\nWatchdogUSec=30s\nOOMPolicy=continue\nRestart=always\n\
        StartLimitIntervalUSec=0\nDelegate=yes\n";

    fn judged(from: &str, to: &str) -> Finding {
        assert!(SOUND.contains(from));
        let text = SOUND.replace(from, to);
        let mut wrong = Unit::read(&text).judge();
        wrong.retain(|finding| finding.level != Level::Ok);
        assert_eq!(wrong.len(), 1, "{to}: {wrong:?}");
        wrong.remove(0)
    }

    #[test]
    fn a_sound_unit_is_said_to_be_one() {
        let findings = Unit::read(SOUND).judge();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].level, Level::Ok);
    }

    #[test]
    fn each_setting_that_harms_the_slots_is_named_with_what_to_write() {
        for (from, to, says, cure) in [
            ("KillMode=process", "KillMode=mixed", "has KillMode=mixed", "`KillMode=process`"),
            ("PrivateTmp=no", "PrivateTmp=disconnected", "cannot write into /tmp", "restart APP`"),
            ("WatchdogUSec=30s", "WatchdogUSec=0", "has no WatchdogSec", "`WatchdogSec=30s`"),
            ("WatchdogUSec=30s", "WatchdogUSec=infinity", "has no WatchdogSec", "[Service]"),
            ("Restart=always", "Restart=no", "stays away", "`Restart=always`"),
            ("IntervalUSec=0", "IntervalUSec=10s", "has StartLimitIntervalSec=10s", "[Unit]"),
            ("OOMPolicy=continue", "OOMPolicy=stop", "want of memory", "`OOMPolicy=continue`"),
            ("NeedDaemonReload=no", "NeedDaemonReload=yes", "were changed", "daemon-reload"),
        ] {
            let finding = judged(from, to);
            assert!(finding.level.is_wrong() && finding.message.contains(says), "{finding:?}");
            assert!(finding.cure.as_deref().is_some_and(|it| it.contains(cure)), "{finding:?}");
        }
        assert_eq!(judged("Delegate=yes", "Delegate=no").level, Level::Hint);
    }

    #[test]
    fn the_drop_in_that_has_the_last_word_is_named_and_a_setting_that_is_unknown_is_not_judged() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let first = file("a.conf", "[Service]\nKillMode=mixed\n");
        let last = file("b.conf", "[Service]\nKillMode=control-group\n");
        let other = file("c.conf", "[Service]\n# KillMode=process\nKillModes=x\n");
        let text = format!("DropInPaths={first} {last} {other}\nKillMode=control-group\n");
        let unit = Unit::read(&text);
        let findings = unit.judge();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].cure.as_ref().unwrap().contains(&last), "{findings:?}");
    }
}
