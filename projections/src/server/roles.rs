//! The server's roles, their passwords and the database: put in place at every start, so that a start that was
//! interrupted is completed by the next.

use super::cluster::Cluster;
use super::process::{Process, exited};
use super::socket::NUMBER;
use super::{DATABASE, Error, Role};
use crate::{Login, Wanted};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection};
use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a server that lives may take to answer: after a crash it recovers first. Only one that is silent for longer is
/// taken for stuck.
const START_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How often it is said that it is waited for.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// How long one try to connect may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const START_POLL: Duration = Duration::from_millis(50);
/// Bytes of randomness in a password.
const PASSWORD_BYTES: usize = 24;

/// A password for each role.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    owner: SecretString,
    reader: SecretString,
    administrator: SecretString,
}

impl Passwords {
    /// Reads the passwords in `directory`; makes those that are missing.
    pub(super) fn in_directory(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::file("make", directory))?;
        fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(Error::file("close", directory))?;
        let of = |role: Role| password(&directory.join(role.name()));
        Ok(Self { owner: of(Role::Owner)?, reader: of(Role::Reader)?, administrator: of(Role::Administrator)? })
    }

    pub(super) const fn of(&self, role: Role) -> &SecretString {
        match role {
            Role::Owner => &self.owner,
            Role::Reader => &self.reader,
            Role::Administrator => &self.administrator,
        }
    }
}

fn password(path: &Path) -> Result<SecretString, Error> {
    match fs::read_to_string(path) {
        Ok(text) if text.len() == 2 * PASSWORD_BYTES => return Ok(text.into()),
        // Cut short by a crash of the machine: nothing can depend on it yet that the next start does not set anew.
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Error::file("read", path)(error)),
    }
    let mut bytes = [0; PASSWORD_BYTES];
    let source = "/dev/urandom";
    File::open(source).and_then(|mut file| file.read_exact(&mut bytes)).map_err(Error::file("read", source))?;
    let text = hex::encode(bytes);
    write_secret(path, &text)?;
    Ok(text.into())
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), Error> {
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(Error::file("write", path))
}

/// Where `role` connects to `database`: the host of the URL is the folder of the socket.
pub(super) fn url(passwords: &Passwords, role: Role, socket: &Path, database: &str) -> SecretString {
    let (name, password) = (role.name(), passwords.of(role).expose_secret());
    let folder: String = socket.as_os_str().as_encoded_bytes().iter().map(|byte| encoded(*byte)).collect();
    format!("postgres://{name}:{password}@{folder}:{NUMBER}/{database}").into()
}

fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// Waits until the server takes connections, then sees to roles and database.
pub(super) async fn prepare(process: &Process, cluster: &Cluster) -> Result<(), Error> {
    let place = &cluster.place;
    let url = url(&place.passwords, Role::Administrator, &place.socket, "postgres");
    let mut connection = connect(process, &url, cluster).await?;
    let login = |role: Role| Login { name: role.name().to_owned(), password: place.passwords.of(role).clone() };
    let wanted = Wanted::new(DATABASE.to_owned(), login(Role::Owner));
    wanted.make_by(&mut connection, Some(&login(Role::Reader))).await.map_err(Error::Roles)?;
    connection
        .close()
        .await
        .map_err(|source| Error::Setup { doing: "set up the roles of the private postgres", source })
}

async fn connect(process: &Process, url: &SecretString, cluster: &Cluster) -> Result<PgConnection, Error> {
    let (started, mut say) = (Instant::now(), SAY_EVERY);
    loop {
        // Bounded, because a server that recovers may be slow to answer.
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, PgConnection::connect(url.expose_secret())).await;
        if process.has_ended() {
            return Err(exited(cluster));
        }
        let source = match answer {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(source)) => source,
            Err(_elapsed) => sqlx::Error::PoolTimedOut,
        };
        let waited = started.elapsed();
        if refused(&source) || waited >= START_TIMEOUT {
            return Err(Error::Setup { doing: "connect to the private postgres", source });
        }
        if waited >= say {
            tracing::warn!(seconds = waited.as_secs(), "PostgreSQL lives and does not answer yet, waiting");
            say += SAY_EVERY;
        }
        tokio::time::sleep(START_POLL).await;
    }
}

/// Whether waiting cannot help: the server answered, and not that it is still starting.
fn refused(error: &sqlx::Error) -> bool {
    const CANNOT_CONNECT_NOW: &str = "57P03";
    error.as_database_error().is_some_and(|answer| answer.code().as_deref() != Some(CANNOT_CONNECT_NOW))
}
