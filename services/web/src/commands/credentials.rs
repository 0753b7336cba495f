//! What a private repository is read by: a key pair that is made here, and a token. Both are sealed before they reach the log, with
//! the key that launchers open what builds are given with, and told to nobody any more.

use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::credential::{self, DeployKey, PublicKey, SourceToken, TOKEN_MAX, Username};
use events::{Site, SiteId, site};
use runtime::Owner;
use runtime::error::BoxError;
use secrecy::{ExposeSecret, SecretString};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};
use zeroize::Zeroizing;

/// A token to be set.
pub(crate) struct NewSourceToken {
    pub(crate) username: Option<Username>,
    pub(crate) token: SecretString,
}

/// A new pair of keys.
struct Pair {
    public: PublicKey,
    private: Zeroizing<String>,
}

impl Pair {
    fn generate() -> Result<Self, Problem> {
        let failed = |error: ssh_key::Error| Problem::Internal(BoxError::from(error));
        let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(failed)?;
        let public = key.public_key().to_openssh().map_err(failed)?;
        Ok(Self { public: public.trim_end().parse()?, private: key.to_openssh(LineEnding::LF).map_err(failed)? })
    }
}

/// How people compare a key, as hosts of repositories show it; none for what is no key.
pub(crate) fn fingerprint(public: &str) -> Option<String> {
    let key = ssh_key::PublicKey::from_openssh(public).ok()?;
    Some(key.fingerprint(HashAlg::Sha256).to_string())
}

/// Makes a key pair for a site, in the place of the one before, and gives the half that its repository needs.
pub(crate) async fn make_deploy_key(app: &Shared, place: &Place, caller: Caller) -> Result<PublicKey, Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeBuildSecrets, About::Site(id)).await?;
    let key = app.build_secrets.introduce(Owner::Builds(id)).await?;
    let Pair { public, private } = Pair::generate()?;
    let made = DeployKey { public_key: public.clone(), private_key: key.seal(&private) };
    let command = site::Command::Credentials(credential::Command::MakeKey(made));
    commit(app, app.log.transaction(cause).with::<Site>(id, command)).await?;
    Ok(public)
}

/// Reads the repository of a site by its key no more.
pub(crate) async fn remove_deploy_key(app: &Shared, place: &Place, caller: Caller) -> Result<(), Problem> {
    remove(app, place, caller, credential::Command::RemoveKey).await
}

/// Reads the repository of a site by this token.
pub(crate) async fn set_source_token(
    app: &Shared,
    place: &Place,
    new: NewSourceToken,
    caller: Caller,
) -> Result<(), Problem> {
    let id: SiteId = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeBuildSecrets, About::Site(id)).await?;
    let NewSourceToken { username, token } = new;
    let text = token.expose_secret();
    if !(1..=TOKEN_MAX).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::InvalidInput(format!("`token` must have 1 to {TOKEN_MAX} visible characters of ASCII")));
    }
    let key = app.build_secrets.introduce(Owner::Builds(id)).await?;
    let command = credential::Command::SetToken(SourceToken { username, token: key.seal(text) });
    commit(app, app.log.transaction(cause).with::<Site>(id, site::Command::Credentials(command))).await.map(drop)
}

/// Reads the repository of a site by its token no more.
pub(crate) async fn remove_source_token(app: &Shared, place: &Place, caller: Caller) -> Result<(), Problem> {
    remove(app, place, caller, credential::Command::RemoveToken).await
}

async fn remove(app: &Shared, place: &Place, caller: Caller, what: credential::Command) -> Result<(), Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeBuildSecrets, About::Site(id)).await?;
    commit(app, app.log.transaction(cause).with::<Site>(id, site::Command::Credentials(what))).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_new_and_its_halves_belong_together() {
        let (first, second) = (Pair::generate().unwrap(), Pair::generate().unwrap());
        assert_ne!(first.public, second.public);
        let private = PrivateKey::from_openssh(first.private.as_str()).unwrap();
        assert_eq!(private.public_key().to_openssh().unwrap().trim_end(), first.public.as_str());
        let shown = fingerprint(first.public.as_str()).unwrap();
        assert!(shown.starts_with("SHA256:") && shown.len() == 50, "{shown}");
        assert_eq!(fingerprint("ssh-ed25519 AAAA"), None);
    }
}
