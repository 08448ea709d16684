//! Releases without a BEAM, made in a moment: see `support/stub/main.rs` for what they do.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Repository;

/// A release to be made.
#[derive(Debug, Clone)]
pub struct Stub {
    version: u32,
    options: Vec<String>,
    migrations: Vec<u64>,
}

impl Stub {
    /// The one with this version: 2 is "2.0.0".
    pub fn new(version: u32) -> Stub {
        Stub { version, options: Vec::new(), migrations: Vec::new() }
    }

    /// It brings the migrations 1 to `last`.
    pub fn migrations(mut self, last: u64) -> Stub {
        self.migrations = (1..=last).collect();
        self
    }

    /// What else its script says to the stub.
    pub fn option(mut self, name: &str, value: impl ToString) -> Stub {
        self.options.extend([name.to_owned(), value.to_string()]);
        self
    }

    /// Makes its folder below `folder`.
    pub fn build(&self, folder: &Path) -> PathBuf {
        let version = format!("{}.0.0", self.version);
        let root = folder.join(format!("shop-{version}"));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let list: Vec<String> = self.migrations.iter().map(u64::to_string).collect();
        let options: String = self.options.iter().map(|it| format!(" '{it}'")).collect();
        let script = format!(
            "#!/bin/sh\nexec {} --version {version} --migrations '{}'{options} \"$@\"\n",
            env!("CARGO_BIN_EXE_vial-stub"),
            list.join(",")
        );
        write("bin/shop", &script);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(root.join("bin/shop"), mode).unwrap();
        write("releases/start_erl.data", &format!("13.1 {version}"));
        write(&format!("releases/{version}/start.boot"), "");
        for number in &self.migrations {
            let path = format!("lib/shop-{version}/priv/repo/migrations/{number}_change.exs");
            let text = format!(
                "defmodule M{number} do\n  use Ecto.Migration\n  def change do\n    \
                 create table(:t{number})\n  end\nend\n"
            );
            write(&path, &text);
        }
        root
    }

    /// Pushes it to `main`, as a folder `release`: a build of that is a copy.
    pub fn push(&self, to: &Repository, folder: &Path) {
        let release = to.work.join("release");
        let _ = std::fs::remove_dir_all(&release);
        let built = self.build(folder);
        let mut copy = std::process::Command::new("cp");
        assert!(copy.arg("-r").arg(&built).arg(&release).status().unwrap().success());
        to.push("main", "A stub");
    }

    /// The same as an archive.
    pub fn archive(&self, folder: &Path) -> PathBuf {
        let root = self.build(folder);
        let archive = root.with_extension("tar");
        let packed = std::process::Command::new("tar")
            .arg("-cf")
            .arg(&archive)
            .arg("-C")
            .arg(&root)
            .arg(".")
            .status();
        assert!(packed.unwrap().success());
        archive
    }
}
