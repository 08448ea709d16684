//! `vial init`: writes the configuration's files, explained, and says what comes next.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vial::cli::args::{Global, Init};
use vial::config::{self, Ports, app_template, host_template, write_new};

/// Where the configuration is, where nobody says otherwise.
const FOLDER: &str = "/etc/vial";
/// The ports of an app whose ports nobody says.
const PORTS: (u16, u16) = (4000, 4001);

/// `vial init`
pub fn init(global: &Global, args: &Init) -> ExitCode {
    match write(global, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vial: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(global: &Global, args: &Init) -> Result<(), config::WriteError> {
    let host = host_file(global, args);
    let folder = host.parent().unwrap_or(Path::new(".")).to_owned();
    if host.exists() {
        println!("{} is there already and stays as it is.", host.display());
    } else {
        write_new(&host, &host_template())?;
        println!("Wrote {}.", host.display());
    }
    let Some(app) = &args.app else {
        println!("Next: `vial init NAME --host www.example.com` for an app.");
        return Ok(());
    };
    let release = args.release.as_deref().unwrap_or(app);
    let (blue, green) = args.ports.unwrap_or(PORTS);
    let first = args.hosts.first().map(String::as_str);
    let text = app_template(app, release, Ports { blue, green }, first, args.user.as_deref());
    let file = folder.join("apps").join(format!("{app}.toml"));
    write_new(&file, &text)?;
    println!("Wrote {}.", file.display());
    println!(
        "Next: look through it, then `vial reload` (or start the daemon), `vial caddy snippet {app}` \
         for the line that your Caddyfile needs, and `vial deploy {app} PATH`."
    );
    Ok(())
}

fn host_file(global: &Global, args: &Init) -> PathBuf {
    match (&args.dir, &global.config) {
        (Some(folder), _) => folder.join("vial.toml"),
        (None, Some(file)) => file.clone(),
        (None, None) => Path::new(FOLDER).join("vial.toml"),
    }
}
