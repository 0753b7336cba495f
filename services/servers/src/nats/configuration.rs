//! What a server of the log is told in its file.

use super::access::passwords;
use super::proof;
use super::users::USERS;
use runtime::connection::inbox_prefix;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

/// A private server's configuration.
pub(super) fn of_private(folder: &Path, address: SocketAddr) -> std::io::Result<String> {
    let secrets = passwords(folder)?;
    proof::prepare(folder)?;
    let text = format!(
        "listen: \"{address}\"\nserver_name: \"pagefold\"\nstore_dir: \"{}\"\n\
         tls {{\n  cert_file: \"{}\"\n  key_file: \"{}\"\n  timeout: 5\n}}\n",
        folder.join("store").display(),
        proof::certificate(folder).display(),
        proof::key(folder).display(),
    );
    Ok(text + &shared(&secrets)?)
}

/// What every server of a log is told, wherever it listens. Everything is synced before it is acknowledged: with the default
/// of two minutes a power cut loses acknowledged facts.
pub(super) fn shared(passwords: &BTreeMap<String, SecretString>) -> std::io::Result<String> {
    let mut text = "max_payload: 1MB\njetstream {\n  sync_interval: always\n  max_memory_store: 64MB\n}\n\
                    authorization {\n  timeout: 5\n  users: [\n"
        .to_owned();
    for user in USERS {
        let Some(secret) = passwords.get(user.name) else { continue };
        let (allow, deny) = (serde_json::to_string(&user.publishes())?, serde_json::to_string(&user.leaves_alone())?);
        let inbox = format!("{}.>", inbox_prefix(user.name));
        let hears: Vec<&str> = [inbox.as_str()].into_iter().chain(user.hears().iter().copied()).collect();
        let hears = serde_json::to_string(&hears)?;
        let _ = writeln!(
            text,
            "    {{ user: \"{}\", password: \"{}\", permissions: {{ publish: {{ allow: {allow}, deny: {deny} }}, \
             subscribe: {hears} }} }}",
            user.name,
            secret.expose_secret(),
        );
    }
    text.push_str("  ]\n}\n");
    Ok(text)
}
