//! The installation as an app of GitHub: it proves itself with its key, and gets a token for one repository where it was installed.

use crate::api::{self, Api, Failed, Place};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dialer::Http;
use events::OrganizationId;
use http::{Method, Uri};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use runtime::clock;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a token is used. GitHub takes it for an hour.
const TOKEN_AGE: Duration = Duration::from_secs(30 * 60);
/// How long a proof is good, in seconds: GitHub takes ten minutes at most, and its clock may be behind by a minute.
const PROOF_AGE: i64 = 8 * 60;
const CLOCKS_APART: i64 = 60;

/// An account at GitHub whose repositories the app may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What GitHub calls it.
    pub name: String,
    /// By the sites of which organization; by all if absent.
    pub organization: Option<OrganizationId>,
}

/// An app of GitHub.
#[derive(Clone)]
pub struct App(Arc<Known>);

struct Known {
    api: String,
    id: u64,
    key: KeyPair,
    accounts: Vec<Account>,
    /// Tokens of repositories, and since when there is each.
    tokens: Mutex<HashMap<String, (SecretString, Instant)>>,
}

/// Why there is no such app.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The server has no URL.
    #[error("`{0}` is not the URL of a server such as https://github.com")]
    Server(String),
    /// The key cannot be read.
    #[error("the key of the app of GitHub is not an RSA key in PEM")]
    Key,
}

/// Without the key.
impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("api", &self.0.api).field("id", &self.0.id).finish_non_exhaustive()
    }
}

impl App {
    /// The app of this id at `server`, with its key in PEM, for the repositories of some accounts.
    ///
    /// # Errors
    /// [`AppError`] if the server or the key is none.
    pub fn new(server: &str, id: u64, key: &SecretString, accounts: Vec<Account>) -> Result<Self, AppError> {
        let api = server.parse::<Uri>().ok().and_then(|uri| api::api(&uri));
        let api = api.ok_or_else(|| AppError::Server(server.to_owned()))?;
        let key = match PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()),
            Ok(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(_) | Err(_) => return Err(AppError::Key),
        };
        let key = key.map_err(|_| AppError::Key)?;
        Ok(Self(Arc::new(Known { api, id, key, accounts, tokens: Mutex::default() })))
    }

    /// What GitHub calls it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Whether it may be used for a repository by the sites of an organization. Its proof is for its own server: any other could
    /// use it there.
    #[must_use]
    pub fn serves(&self, place: &Place, organization: Option<OrganizationId>) -> bool {
        let may = |account: &Account| {
            account.name.eq_ignore_ascii_case(&place.owner)
                && (account.organization.is_none() || account.organization == organization)
        };
        place.api == self.0.api && self.0.accounts.iter().any(may)
    }

    /// A token for a repository and nothing else.
    ///
    /// # Errors
    /// [`Failed`] if it is not installed there, or GitHub gives none.
    pub async fn token(&self, http: &Http, place: &Place) -> Result<String, Failed> {
        let repository = place.repository();
        if let Some((token, since)) = self.tokens().get(&repository)
            && since.elapsed() < TOKEN_AGE
        {
            return Ok(token.expose_secret().to_owned());
        }
        let (proof, api) = (self.proof()?, &self.0.api);
        let url = format!("{repository}/installation");
        let asking = Api { http, token: &proof };
        let installation = asking.get(&url).await?;
        let id = installation["id"].as_u64().ok_or_else(|| Failed::said("the app of GitHub is not installed there"))?;
        let url = format!("{api}/app/installations/{id}/access_tokens");
        let wanted = json!({ "repositories": [place.name] });
        let made = asking.tell(Method::POST, &url, wanted).await?;
        let token = made["token"].as_str().ok_or_else(|| Failed::said("GitHub gave its app no token"))?;
        self.tokens().insert(repository, (token.into(), Instant::now()));
        Ok(token.to_owned())
    }

    /// Asks for another token the next time: what it may do can have changed.
    pub fn forget(&self, place: &Place) {
        self.tokens().remove(&place.repository());
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, (SecretString, Instant)>> {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That it is the app: a JSON Web Token (RFC 7519) with the signature `RS256`.
    fn proof(&self) -> Result<String, Failed> {
        let now = clock::now().unix_timestamp();
        let claims = json!({ "iat": now - CLOCKS_APART, "exp": now + PROOF_AGE, "iss": self.0.id.to_string() });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
        let mut signature = vec![0; self.0.key.public().modulus_len()];
        let made = self.0.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        made.map_err(|_| Failed::said("the key of the app of GitHub cannot sign"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
