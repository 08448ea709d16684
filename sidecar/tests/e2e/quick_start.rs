//! A release that Vial starts itself, and one that loads its modules when they are called: they are
//! what the release's own script makes of it, and tell nobody the cookie.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vial::slot::direct::look;
use vial::slot::direct::secret::Place;
use vial::slot::environment::Variables;
use vial_protocol::Slot;

use super::QUICK;
use crate::support::releases::text;
use crate::support::terminal::Terminal;
use crate::support::{Host, SOON, folder};

const DIRECT: &str = "start = \"direct\"";
const MIGRATE: &str = "migrate = \"Shop.Release.migrate()\"";

/// What a node knows of its own start, a line each.
const ASKED: &str = r#"
show = &inspect(&1, limit: :infinity, printable_limit: :infinity, width: :infinity)
for {name, value} <- System.get_env(), do: IO.puts("env #{name} #{show.(value)}")
for {name, value} <- :init.get_arguments(), do: IO.puts("arg #{name} #{show.(value)}")
IO.puts("plain #{show.(:init.get_plain_arguments())}")
for {app, _, version} <- Application.loaded_applications() do
  IO.puts("app #{app} #{version} #{show.(Enum.sort(Application.get_all_env(app)))}")
end
IO.puts("started #{show.(Application.started_applications() |> Enum.map(&elem(&1, 0)) |> Enum.sort())}")
IO.puts("pid #{System.pid()}")
IO.puts("home #{System.user_home!()}")
IO.puts("cwd #{File.cwd!()}")
IO.puts("mode #{:code.get_mode()}")
IO.puts("node #{node()}")
IO.puts("cookie #{:erlang.get_cookie()}")
IO.puts("halts #{show.(:persistent_term.get({:elixir, :no_halt}, nil))}")
"#;

/// What the node in the active slot says, told from slot to slot by nothing but its port and run.
async fn told(host: &Host) -> Vec<String> {
    let status = host.status("shop").await;
    let slot = status.active.unwrap();
    let pid = status.slot(slot).unwrap().pid.unwrap();
    let said = host.vial(&["rpc", "shop", ASKED]).await.ends(0);
    let port = host.port("shop", slot).to_string();
    let mut lines: Vec<String> = said
        .out
        .lines()
        .map(|line| line.replace("blue", "SLOT").replace("green", "SLOT").replace(&port, "PORT"))
        .map(|line| line.replace(&format!("pid {pid}"), "pid of the slot"))
        .filter(|line| !line.starts_with("env VIAL_RUN "))
        .collect();
    lines.sort();
    lines
}

/// The lines of one that the other has not.
fn only<'a>(these: &'a [String], those: &[String]) -> Vec<&'a str> {
    these.iter().filter(|line| !those.contains(line)).map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_started_directly_is_what_its_script_would_have_made_of_it() {
    for mode in ["embedded", "interactive"] {
        let lines = format!("{QUICK}\nmode = \"{mode}\"");
        let mut host = Host::shop(&lines).await;
        host.set("OWN", "the app's", &[]).await.ends(0);
        host.deploy(1).await;
        let by_script = told(&host).await;
        assert!(by_script.contains(&"pid of the slot".to_owned()), "{by_script:?}");

        host.reconfigure(&format!("{lines}\n{DIRECT}")).await;
        host.vial(&["restart", "shop"]).await.ends(0);
        let direct = told(&host).await;
        assert!(direct.contains(&format!("mode {mode}")), "{direct:?}");
        assert!(direct.contains(&"pid of the slot".to_owned()), "{direct:?}");

        // The cookie is not among its arguments, its home folder is there twice, and the boot script
        // is a copy; nothing else differs but what a shell leaves in the environment.
        let shells = ["env PWD ", "env OLDPWD ", "env SHLVL ", "env _ "];
        let of_shell = |line: &&str| shells.iter().any(|it| line.starts_with(it));
        let gone: Vec<_> = only(&by_script, &direct);
        let gone: Vec<_> = gone.into_iter().filter(|line| !of_shell(line)).collect();
        let new = only(&direct, &by_script);
        assert_eq!(gone.len(), 2, "{gone:#?}\n{new:#?}");
        assert!(gone[0].starts_with("arg boot ["), "{gone:#?}");
        assert!(gone[1].starts_with("arg setcookie ["), "{gone:#?}");
        assert_eq!(new.len(), 1, "{new:#?}");
        assert!(new[0].starts_with("arg boot [") && new[0].contains("/nodes/"), "{new:#?}");
        let homes =
            |lines: &[String]| lines.iter().filter(|it| it.starts_with("arg home ")).count();
        assert_eq!((homes(&by_script), homes(&direct)), (1, 2));

        // The daemon may be another by then, and the app configured otherwise.
        host.kill_daemon();
        host.start_daemon().await;
        host.reconfigure(&lines).await;
        host.vial(&["rpc", "shop", "IO.puts(1 + 41)"]).await.ends(0).says(&["42"]);
        // `init:restart/0` boots again within the process: it must find its cookie once more.
        let status = host.status("shop").await;
        let pid = status.slot(status.active.unwrap()).unwrap().pid;
        host.vial(&["rpc", "shop", "spawn(fn -> :init.restart() end)"]).await.ends(0);
        let deadline = Instant::now() + SOON;
        loop {
            let said = host.vial(&["rpc", "shop", "IO.puts(:erlang.get_cookie())"]).await;
            let cookie = fs::read_to_string(host.path("state/apps/shop/cookie")).unwrap();
            if said.code == Some(0) && said.out.trim() == cookie.trim() {
                break;
            }
            assert!(Instant::now() < deadline, "{said}");
        }
        let status = host.status("shop").await;
        assert_eq!(status.slot(status.active.unwrap()).unwrap().pid, pid);
    }
}

/// Looks at the command lines of all processes, again and again.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<BTreeMap<String, usize>>>,
}

impl Watch {
    fn for_secret(secret: String) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeMap::new();
            while !until.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let line = String::from_utf8_lossy(&line).replace('\0', " ");
                    if line.contains(&secret) {
                        *seen.entry(line).or_default() += 1;
                    }
                }
                std::thread::sleep(Duration::from_millis(3));
            }
            seen
        });
        Watch { stop, thread: Some(thread) }
    }

    /// The command lines that had it.
    fn seen(mut self) -> BTreeMap<String, usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

/// Everything that runs of a release.
async fn everything(host: &Host) {
    host.vial(&["restart", "shop"]).await.ends(0);
    host.vial(&["rpc", "shop", "IO.puts(1 + 41)"]).await.ends(0).says(&["42"]);
    host.vial(&["eval", "shop", "IO.puts(1 + 41)"]).await.ends(0).says(&["42"]);
    let mut terminal = Terminal::open(host, &["console", "shop"]);
    terminal.until_it_shows("@127.0.0.1)1>");
    terminal.types(b"1 + 41\r");
    terminal.until_it_shows("42");
    terminal.types(b"\x1d");
    let deadline = Instant::now() + SOON;
    while terminal.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "Ctrl-] does not leave");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_on_no_command_line_once_releases_are_started_directly() {
    let lines = format!("{QUICK}\n{MIGRATE}\nmode = \"interactive\"");
    let mut host = Host::shop(&lines).await;
    host.deploy(1).await;
    let cookie = fs::read_to_string(host.path("state/apps/shop/cookie")).unwrap();
    let cookie = cookie.trim().to_owned();
    let watch = Watch::for_secret(cookie.clone());
    everything(&host).await;
    let seen = watch.seen();
    assert!(seen.keys().any(|line| line.contains("beam.smp")), "the watch sees it: {seen:?}");

    host.reconfigure(&format!("{lines}\n{DIRECT}")).await;
    host.vial(&["restart", "shop"]).await.ends(0);
    host.vial(&["restart", "shop"]).await.ends(0);
    host.vial(&["doctor"]).await.never_says(&[&cookie, "on the command line"]);
    let watch = Watch::for_secret(cookie.clone());
    host.deploy(2).await;
    everything(&host).await;
    host.vial(&["rollback", "shop", "--yes"]).await.ends(0);
    let seen = watch.seen();
    assert!(seen.is_empty(), "{seen:#?}");
    host.vial(&["rpc", "shop", "IO.puts(:erlang.get_cookie())"]).await.ends(0).says(&[&cookie]);

    // Only the app's user reads the file.
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(host.path("state/apps/shop/nodes/erlang/.erlang.cookie")).unwrap();
    assert_eq!(file.mode() & 0o7777, 0o400);
    let status = host.status("shop").await;
    let pid = status.slot(status.active.unwrap()).unwrap().pid.unwrap();
    assert_eq!(file.uid(), fs::metadata(format!("/proc/{pid}")).unwrap().uid());
}

/// The shop, with something in one of its files.
fn odd(host: &Host, file: &str, add: &str) -> PathBuf {
    let to = host.path("odd");
    let _ = fs::remove_dir_all(&to);
    let copied = Command::new("cp").arg("-a").arg(folder(1)).arg(&to).status().unwrap();
    assert!(copied.success());
    let path = to.join(file);
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, before + add).unwrap();
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_says_more_is_started_by_its_script_and_the_doctor_says_why() {
    let host = Host::shop(&format!("{QUICK}\n{DIRECT}")).await;
    let odd = odd(&host, "releases/1.0.0/env.sh", "export FROM_ENV_SH=yes\n");
    host.vial(&["deploy", "shop", text(&odd)]).await.ends(0);
    let ran = host.serving_environment().await;
    assert_eq!(ran.get("FROM_ENV_SH").map(String::as_str), Some("yes"));
    let reason = "releases/1.0.0/env.sh does more than comments do";
    assert!(host.daemon_log().contains(reason));
    host.vial(&["doctor"]).await.says(&[reason, "on the command line"]);
    host.vial(&["restart", "shop"]).await.ends(0);
    assert_eq!(host.daemon_log().matches(reason).count(), 1, "it is said once");
    host.vial(&["rpc", "shop", "IO.puts(1 + 41)"]).await.ends(0).says(&["42"]);

    // The next is decided by itself.
    host.deploy(2).await;
    let deadline = Instant::now() + SOON;
    loop {
        // What it left is still ending.
        let said = host.vial(&["doctor"]).await;
        if !said.out.contains("on the command line") {
            said.says(&["Vial starts shop itself"]).never_says(&[reason]);
            return;
        }
        assert!(Instant::now() < deadline, "{said}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn each_release_whose_start_is_not_known_is_left_to_its_script() {
    let aside = tempfile::tempdir().unwrap();
    let place = Place::new(aside.path().join("nodes"), Slot::Blue, None);
    let whole = aside.path().join("release");
    let copied = Command::new("cp").arg("-a").arg(folder(1)).arg(&whole).status().unwrap();
    assert!(copied.success());
    let env = |more: &[(&str, &str)]| -> Variables {
        let usual = [("HOME", "/home/shop"), ("RELEASE_TMP", "/tmp")];
        usual.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into())).collect()
    };
    let plan = look(&whole, "shop", &env(&[]), &place).unwrap();
    assert!(plan.program.ends_with("bin/erlexec"), "{plan:?}");
    assert!(look(&whole, "other", &env(&[]), &place).is_err());

    // What the release brings.
    let erts = plan.program.parent().unwrap().to_owned();
    let version = |file: &str| whole.join("releases/1.0.0").join(file);
    for (path, add, why) in [
        (whole.join("bin/shop"), "echo more\n", "bin/shop is not as `mix release`"),
        (version("elixir"), "echo more\n", "releases/1.0.0/elixir is not as"),
        (erts.join("erl"), "echo more\n", "bin/erl is not as"),
        (version("env.sh"), ". ./more.sh\n", "env.sh does more than comments do"),
        (version("vm.args"), "-setcookie mine\n", "-setcookie stands in releases/1.0.0/vm.args"),
        (version("vm.args"), "-args_file more.args\n", "-args_file stands in"),
        (version("sys.config"), "%% RUNTIME_CONFIG=true\n", "boots twice"),
    ] {
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{before}{add}")).unwrap();
        let reason = look(&whole, "shop", &env(&[]), &place).unwrap_err().to_string();
        assert!(reason.contains(why), "{}: {reason}", path.display());
        fs::write(&path, before).unwrap();
    }
    for name in ["bin/shop", "releases/1.0.0/start.boot", "releases/1.0.0/vm.args"] {
        let path = whole.join(name);
        fs::rename(&path, aside.path().join("kept")).unwrap();
        assert!(look(&whole, "shop", &env(&[]), &place).is_err(), "without {name}");
        fs::rename(aside.path().join("kept"), &path).unwrap();
    }
    // What is not a boot script, or an Erlang that looks nowhere for the cookie.
    let boot = fs::read(version("start.boot")).unwrap();
    fs::write(version("start.boot"), &boot[..boot.len() / 2]).unwrap();
    let reason = look(&whole, "shop", &env(&[]), &place).unwrap_err().to_string();
    assert!(reason.contains("start.boot, is not as Elixir writes it"), "{reason}");
    fs::write(version("start.boot"), boot).unwrap();
    let data = whole.join("releases/start_erl.data");
    let before = fs::read_to_string(&data).unwrap();
    fs::write(&data, "12.3.2 1.0.0").unwrap();
    let reason = look(&whole, "shop", &env(&[]), &place).unwrap_err().to_string();
    assert!(reason.contains("older than OTP 25"), "{reason}");
    fs::write(&data, "13.1.5 ../../../etc").unwrap();
    assert!(look(&whole, "shop", &env(&[]), &place).is_err());
    fs::write(&data, before).unwrap();

    // What its environment says.
    for (name, value) in [
        ("RELEASE_BOOT_SCRIPT", "start_clean"),
        ("RELEASE_VM_ARGS", "/etc/vm.args"),
        ("ELIXIR_ERL_OPTIONS", "+S 1"),
        ("ERL_ROOTDIR", "/usr/lib/erlang"),
        ("ERL_FLAGS", "+S 1 -setcookie mine"),
        ("RELEASE_MODE", "minimal"),
    ] {
        assert!(look(&whole, "shop", &env(&[(name, value)]), &place).is_err(), "{name}");
    }
    assert_eq!(look(&whole, "shop", &env(&[]), &place).unwrap(), plan);
    assert!(!aside.path().join("nodes").exists(), "looking writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_in_interactive_mode_loads_its_modules_once_it_has_the_traffic() {
    let host = Host::shop(&format!("{QUICK}\nmode = \"interactive\"")).await;
    host.set("RELEASE_MODE", "embedded", &[]).await.ends(0);
    host.deploy(1).await;
    let ran = host.serving_environment().await;
    assert_eq!(ran.get("RELEASE_MODE").map(String::as_str), Some("interactive"));
    assert!(host.daemon_log().contains("wins over the app's RELEASE_MODE"));
    let asked = "loaded = for {app, _, _} <- Application.loaded_applications(), \
                 module <- Application.spec(app, :modules), do: :erlang.module_loaded(module)\n\
                 IO.puts(\"#{:code.get_mode()} #{Enum.all?(loaded)}\")";
    let deadline = Instant::now() + SOON;
    loop {
        let said = host.vial(&["rpc", "shop", asked]).await.ends(0);
        if said.out.contains("interactive true") {
            break;
        }
        said.says(&["interactive"]);
        assert!(Instant::now() < deadline, "{}", host.daemon_log());
    }
}
