//! Writes what each service may do for servers that an operator runs: they learn it from files, not over a connection.

pub(crate) mod store;

use anyhow::{Context, Result};
use clap::Subcommand;
use ctl::print::say;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use store::Names;

/// For which servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The users of the log: what the configuration of each NATS server includes, and the password of each service
    Nats {
        /// Folder for the files; passwords that are there are kept
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
    },
    /// The rights of each service's S3 key, as policies of AWS IAM
    S3 {
        /// Folder for the files
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        names: Names,
    },
    /// What launchers have of the installation's key, as a line of their environment
    BuildKey {
        /// The installation's key
        #[arg(long, env = "PAGEFOLD_KEY", hide_env_values = true)]
        key: SecretString,
    },
    /// What edges have of the installation's key, as a line of their environment
    EdgeKey {
        /// The installation's key
        #[arg(long, env = "PAGEFOLD_KEY", hide_env_values = true)]
        key: SecretString,
    },
}

/// Writes them, and says what is where.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Nats { folder } => {
            servers::nats::hand_out(&folder)?;
            let included = folder.join(servers::nats::INCLUDED);
            say(&format!(
                "`{}` is for each NATS server to include: the log's users and its settings",
                included.display()
            ))?;
            say(&format!(
                "`{}/SERVICE.env` has the password of that service, `ctl.env` the operator's",
                folder.display()
            ))
        }
        Command::S3 { folder, names } => {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            for (service, rights) in store::KEYS {
                write(&folder.join(format!("{service}.json")), &names.policy(rights))?;
            }
            say(&format!("`{}/SERVICE.json` is the policy of that service's key", folder.display()))
        }
        Command::EdgeKey { key } => say(&format!("PAGEFOLD_EDGE_KEY={}", web::edge_key(&key).expose_secret())),
        Command::BuildKey { key } => say(&format!("PAGEFOLD_BUILD_KEY={}", web::build_key(&key).expose_secret())),
    }
}

fn write(path: &Path, policy: &serde_json::Value) -> Result<()> {
    let text = format!("{}\n", serde_json::to_string_pretty(policy)?);
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
