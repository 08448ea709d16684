//! The database that it pretends to have: a file with the versions that are applied.

use std::fs;
use std::path::PathBuf;

use super::Release;

/// Does what Vial's expression asks for, and says so as that would.
pub fn evaluate(release: &Release, expression: &str) {
    // The arguments stand behind the text of the function.
    let args = expression.rsplit("%{action: ").next().unwrap();
    let action = args.split([':', ',']).nth(1).unwrap();
    let token = between(args, "token: \"", "\"");
    let asked: Vec<u64> = match between(args, "versions: [", "]") {
        "" => release.migrations.clone(),
        list => list.split(", ").map(|it| it.parse().unwrap()).collect(),
    };
    let say = |what: String| println!("vial:{token} {what}");
    let path = PathBuf::from(std::env::var_os("STUB_DB").unwrap());
    let mut applied = read(&path);
    if action == "list" {
        for version in &release.migrations {
            let state = if applied.contains(version) { "up" } else { "down" };
            say(format!("state Stub.Repo {state} {version} change"));
        }
        return say("done".into());
    }
    for version in asked {
        let up = action != "down";
        if applied.contains(&version) == up {
            if action != "around" {
                say(format!("already Stub.Repo {version}"));
            }
            continue;
        }
        std::thread::sleep(release.slow);
        if up {
            applied.push(version);
        } else {
            applied.retain(|it| *it != version);
        }
        applied.sort_unstable();
        let text: String = applied.iter().map(|it| format!("{it}\n")).collect();
        let aside = path.with_extension("aside");
        fs::write(&aside, text).unwrap();
        fs::rename(&aside, &path).unwrap();
        say(format!("moved Stub.Repo {version}"));
    }
    say("done".into());
}

fn read(path: &PathBuf) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|it| it.parse().unwrap()).collect()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0
}
