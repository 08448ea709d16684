//! What the commands take that are about who gets into the dashboard.

use clap::{Args, Subcommand};
use vial_protocol::access::Role;

/// `vial user`
#[derive(Debug, Subcommand)]
pub enum UserWhat {
    /// Make a user; the password is asked for, or read from standard input
    #[command(after_help = "Examples:
  vial user add anna --role admin
  vial user add ben --role deployer --generate
  pass show vial/carla | vial user add carla --role viewer")]
    Add {
        /// Their name
        name: String,
        /// viewer, deployer or admin
        #[arg(long)]
        role: Role,
        /// Make a password and print it
        #[arg(long)]
        generate: bool,
    },
    /// List the users
    List,
    /// Change what a user may do; their sessions end
    Role {
        /// Their name
        name: String,
        /// viewer, deployer or admin
        role: Role,
    },
    /// Give a user another password; their sessions end
    Password {
        /// Their name
        name: String,
        /// Make a password and print it
        #[arg(long)]
        generate: bool,
    },
    /// Remove a user; their sessions end
    Remove {
        /// Their name
        name: String,
    },
}

/// `vial token`
#[derive(Debug, Subcommand)]
pub enum TokenWhat {
    /// Make a token and print it, this once
    #[command(after_help = "Example:
  vial token add 'deploys of CI' --role deployer --days 90")]
    Add {
        /// What it is for
        name: String,
        /// viewer, deployer or admin
        #[arg(long)]
        role: Role,
        /// How many days it lasts
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// List the tokens
    List,
    /// Remove a token
    Remove {
        /// Its id, as in the list
        id: String,
    },
}

/// `vial session`
#[derive(Debug, Subcommand)]
pub enum SessionWhat {
    /// List the sessions
    List,
    /// End a session, with the streams and consoles that it opened
    End {
        /// Its id, as in the list
        id: String,
    },
}

/// `vial login-link`
#[derive(Debug, Args)]
pub struct LoginLink {
    /// The user whom it makes, or to whom it gives a new password
    pub name: String,
    /// What a new user may do: viewer, deployer or admin
    #[arg(long, default_value = "admin")]
    pub role: Role,
}

/// `vial audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// The app; everything where absent
    pub app: Option<String>,
    /// How many rows
    #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Those before this one
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,
}
