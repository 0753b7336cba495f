//! How a private repository is read: by a key of the site over SSH, or by a token over HTTPS.

use crate::ids::{Invalid, text};
use crate::{Refusal, RepositoryUrl, Sealed, SiteEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest token in bytes.
pub const TOKEN_MAX: usize = 4096;
/// Longest name of a user in bytes.
pub const USERNAME_MAX: usize = 100;
/// What every ed25519 key begins with as OpenSSH writes it, the kind and the length of what follows included.
const KEY_BEGINS: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI";
/// How long such a key is, 32 bytes being the key itself.
const KEY_LENGTH: usize = "ssh-ed25519 ".len() + 68;

/// The half of a deploy key that may be told, in one line as OpenSSH writes it, without a comment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^ssh-ed25519 [A-Za-z0-9+/]{68}$"))]
pub struct PublicKey(String);

/// Whom a token belongs to, as the repository's host calls them: visible ASCII without a colon, at most [`USERNAME_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[!-9;-~]{1,100}$"))]
pub struct Username(String);

text!(PublicKey, Username);

/// A key pair of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployKey {
    /// What its repository is given.
    pub public_key: PublicKey,
    /// The other half, sealed with the key of the site's builds.
    pub private_key: Sealed,
}

/// What a repository is read by over HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceToken {
    /// Whose it is; what hosts take for every token if absent.
    pub username: Option<Username>,
    /// The token, sealed with the key of the site's builds.
    pub token: Sealed,
}

/// What a site's repository is read by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// Over SSH. It stays when the repository becomes another, which has to be given it first.
    pub key: Option<DeployKey>,
    /// Over HTTPS. It goes when the repository becomes another, which must not learn it.
    pub token: Option<SourceToken>,
}

/// What may be asked of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Read the repository by this key over SSH.
    MakeKey(DeployKey),
    /// Read it by the key no more.
    RemoveKey,
    /// Read the repository by this token over HTTPS.
    SetToken(SourceToken),
    /// Read it by the token no more.
    RemoveToken,
}

impl Credentials {
    /// What becomes of the credentials of a site whose repository is at `repository`; nothing if it is so already.
    pub(crate) fn decide(&self, command: &Command, repository: &RepositoryUrl) -> Result<Option<SiteEvent>, Refusal> {
        Ok(match command.clone() {
            Command::MakeKey(new) => (self.key.as_ref() != Some(&new))
                .then_some(SiteEvent::DeployKeyMade { public_key: new.public_key, private_key: new.private_key }),
            Command::RemoveKey => self.key.is_some().then_some(SiteEvent::DeployKeyRemoved {}),
            Command::SetToken(new) => {
                admit(repository)?;
                let set = SiteEvent::SourceTokenSet { username: new.username.clone(), token: new.token.clone() };
                (self.token.as_ref() != Some(&new)).then_some(set)
            }
            Command::RemoveToken => self.token.is_some().then_some(SiteEvent::SourceTokenRemoved {}),
        })
    }
}

impl PublicKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PublicKey {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let body = text.strip_prefix(KEY_BEGINS).unwrap_or_default();
        let plain = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        if plain && !body.is_empty() && text.len() == KEY_LENGTH {
            Ok(Self(text))
        } else {
            Err(Invalid("this is not an ed25519 key as OpenSSH writes it".to_owned()))
        }
    }
}

impl Username {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Username {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if is_plain && (1..=USERNAME_MAX).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(Invalid("a user name has 1 to 100 visible ASCII characters, and no colon among them".to_owned()))
        }
    }
}

/// Whether a token may be sent to where `repository` is: nobody on the way may read it.
fn admit(repository: &RepositoryUrl) -> Result<(), Refusal> {
    let url = repository.as_str();
    let host = |rest: &str| rest.split(['/', ':']).next().unwrap_or_default().to_owned();
    let here = |host: &str| matches!(host, "localhost" | "127.0.0.1");
    let safe = url.starts_with("https://") || url.strip_prefix("http://").is_some_and(|rest| here(&host(rest)));
    if safe { Ok(()) } else { Err(Refusal::SourceTokenNeedsHttps) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPGW9jUAdSnKk2dEbjVvEJz7Ar4xQZpaKCZDdCY9VOoQ";

    #[test]
    fn a_key_is_one_line_of_one_kind() {
        assert_eq!(KEY.parse::<PublicKey>().unwrap().as_str(), KEY);
        let rsa = KEY.replace("ed25519", "rsa");
        for bad in ["", "ssh-ed25519 AAAA", &format!("{KEY} me@here"), &format!("{KEY}\n"), &KEY[1..], &rsa] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_user_is_called_by_what_fits_in_one_line_before_a_colon() {
        for good in ["git", "x-access-token", "me@example.org", &"u".repeat(100)] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", "a:b", "a b", "a\nhost=evil.example", "ä", &"u".repeat(101)] {
            assert!(bad.parse::<Username>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_sent_where_nobody_reads_along() {
        for safe in ["https://example.org/a/b", "http://localhost:3000/a/b", "http://127.0.0.1/a/b"] {
            assert_eq!(admit(&safe.parse().unwrap()), Ok(()), "{safe}");
        }
        for open in ["http://example.org/a", "git@example.org:a/b", "/srv/a", "http://localhost.example.org/a"] {
            assert_eq!(admit(&open.parse().unwrap()), Err(Refusal::SourceTokenNeedsHttps), "{open}");
        }
    }
}
