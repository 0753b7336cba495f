//! What a private repository is read by, and what of it git is told: never by a command line, and by a file only where SSH takes
//! nothing else.

use super::Error;
use super::address::{Address, Scheme};
use super::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// Where keys lie while SSH reads them, below the folder of the mirrors.
const KEYS: &str = "keys";
/// What hosts take for the user of every token: GitHub, GitLab, Gitea and Bitbucket do.
const ANYBODY: &str = "x-access-token";
/// Where git's helper finds the login.
const USER: &str = "PAGEFOLD_SOURCE_USER";
const TOKEN: &str = "PAGEFOLD_SOURCE_TOKEN";
/// Tells git the login when it asks for it, and keeps nothing.
const HELPER: &str = "!f() { if [ \"$1\" = get ]; then printf 'username=%s\\npassword=%s\\n' \
    \"$PAGEFOLD_SOURCE_USER\" \"$PAGEFOLD_SOURCE_TOKEN\"; fi; }; f";

/// What a repository is read by, if it is private. By its address follows which of them.
#[derive(Clone, Default)]
pub struct Credentials {
    /// A private key in OpenSSH's format.
    pub key: Option<Zeroizing<String>>,
    pub login: Option<Login>,
}

/// A user and a token of theirs.
#[derive(Clone)]
pub struct Login {
    /// None for one that hosts take for every token.
    pub username: Option<String>,
    pub token: Zeroizing<String>,
}

impl Login {
    fn username(&self) -> &str {
        self.username.as_deref().unwrap_or(ANYBODY)
    }
}

impl Credentials {
    /// What a mirror is named by that was fetched with these: who has none must not get it, nor who has others.
    pub(super) fn mark(&self, scheme: Scheme) -> String {
        match (self.key_for(scheme), self.login_for(scheme)) {
            (Some(key), _) => format!(" key {}", digest(key)),
            (_, Some(login)) => format!(" token {}", digest(&format!("{}:{}", login.username(), *login.token))),
            (None, None) => String::new(),
        }
    }

    pub(super) fn key_for(&self, scheme: Scheme) -> Option<&str> {
        self.key.as_ref().filter(|_| scheme == Scheme::Ssh).map(|key| key.as_str())
    }

    pub(super) fn login_for(&self, scheme: Scheme) -> Option<&Login> {
        self.login.as_ref().filter(|_| matches!(scheme, Scheme::Https | Scheme::Http))
    }

    /// The text without the token, in whatever spelling a server may have learned it.
    pub(super) fn redact(&self, text: String) -> String {
        let Some(Login { token, .. }) = &self.login else { return text };
        let login = self.login.as_ref().map_or(ANYBODY, Login::username);
        let encoded = STANDARD.encode(format!("{login}:{}", **token));
        text.replace(token.as_str(), "[hidden]").replace(&encoded, "[hidden]")
    }
}

/// Never a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials {{ key: {}, login: {} }}", self.key.is_some(), self.login.is_some())
    }
}

/// The settings by which git asks for the login, of this host alone: where a redirect leads, nobody is told it.
pub(super) fn settings(address: &Address) -> Vec<(String, String)> {
    let (scheme, authority) = (address.scheme.transport(), address.authority());
    vec![(format!("credential.{scheme}://{authority}.helper"), HELPER.to_owned())]
}

/// The login itself, for the environment of that helper.
pub(super) fn environment(login: &Login) -> Vec<(&'static str, String)> {
    vec![(USER, login.username().to_owned()), (TOKEN, login.token.to_string())]
}

/// Makes the folder of keys, and removes what a launcher left there that was killed.
pub(super) fn prepare(root: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = root.join(KEYS);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// Puts a key where SSH finds it, for its user alone and as long as the file is kept.
pub(super) async fn hand_over(root: &Path, key: &str) -> Result<NamedTempFile, Error> {
    let (folder, key): (PathBuf, _) = (root.join(KEYS), Zeroizing::new(key.to_owned()));
    let write = move || {
        let mut file = tempfile::Builder::new().prefix("deploy-").tempfile_in(folder)?;
        file.write_all(key.as_bytes())?;
        Ok(file)
    };
    crate::blocking(write).await.map_err(|source| Error::Io { action: "hand a deploy key over to SSH", source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn credentials() -> Credentials {
        let login = Login { username: None, token: "t0ken-t0ken".to_owned().into() };
        Credentials { key: Some("PRIVATE".to_owned().into()), login: Some(login) }
    }

    #[test]
    fn a_mirror_is_marked_by_what_it_was_fetched_with_and_by_nothing_else() {
        let (own, nobody) = (credentials(), Credentials::default());
        let other = Credentials { key: Some("ANOTHER".to_owned().into()), login: None };
        assert_ne!(own.mark(Scheme::Ssh), other.mark(Scheme::Ssh));
        assert_ne!(own.mark(Scheme::Ssh), own.mark(Scheme::Https));
        assert_eq!((nobody.mark(Scheme::Ssh), own.mark(Scheme::File)), (String::new(), String::new()));
        assert!(!own.mark(Scheme::Https).contains("t0ken") && !own.mark(Scheme::Ssh).contains("PRIVATE"));
    }

    #[test]
    fn a_token_is_in_nothing_that_is_shown_and_in_no_setting() {
        let (own, said) = (credentials(), "token t0ken-t0ken, Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4tdDBrZW4=");
        assert_eq!(own.redact(said.to_owned()), "token [hidden], Basic [hidden]");
        assert_eq!(format!("{own:?}"), "Credentials { key: true, login: true }");
        let address = Address::parse("https://example.org:8443/acme/docs").unwrap();
        let told = format!("{:?}", settings(&address));
        assert!(told.contains("credential.https://example.org:8443.helper") && !told.contains("t0ken"), "{told}");
    }

    #[tokio::test]
    async fn a_key_is_for_its_user_alone_and_goes_with_what_needs_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("keys/left")).unwrap();
        prepare(root.path()).unwrap();
        assert!(!root.path().join("keys/left").exists());
        let file = hand_over(root.path(), "PRIVATE").await.unwrap();
        let path = file.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), "PRIVATE");
        drop(file);
        assert!(!path.exists());
    }
}
