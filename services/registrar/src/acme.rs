//! Certificates of names, from an authority that speaks ACME (RFC 8555).
//!
//! The account's key follows from the key of edges, so nothing of it is stored and all processes have the same account. A name is proven by HTTP:
//! what an edge answers behind the token of a challenge depends on the account alone, so every edge can as soon as it has heard of one order.

use doors::Key as EdgeKey;
use instant_acme::{Account, AuthorizationStatus, ChallengeType, Identifier, Key, NewOrder, OrderStatus, RetryPolicy};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::PathBuf;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

/// How long an authority may take for one step.
const PATIENCE: Duration = Duration::from_secs(60);

/// An authority, and what proves who asks it.
#[derive(Clone, Debug)]
pub struct Acme {
    /// Its directory.
    pub directory: String,
    /// The certificate (PEM) by which the directory proves itself; those that the machine trusts if absent.
    pub ca: Option<PathBuf>,
    /// The key of edges.
    pub key: EdgeKey,
}

/// A certificate that was issued.
pub(crate) struct Issued {
    /// It and those between it and its authority (PEM).
    pub(crate) chain: String,
    /// Its key (PEM).
    pub(crate) key: String,
    pub(crate) expires_at: OffsetDateTime,
    /// When it is time for the next.
    pub(crate) renew_at: OffsetDateTime,
}

/// The account at an authority, once it has answered.
pub(crate) struct Authority {
    acme: Acme,
    account: OnceCell<Account>,
}

impl Authority {
    pub(crate) fn new(acme: Acme) -> Self {
        Self { acme, account: OnceCell::new() }
    }

    /// What is sealed so that edges alone can read it.
    pub(crate) const fn key(&self) -> &EdgeKey {
        &self.acme.key
    }

    /// What edges answer behind the token of a challenge.
    pub(crate) async fn responder(&self) -> Result<String, String> {
        Ok(self.account().await?.key_thumbprint().to_owned())
    }

    async fn account(&self) -> Result<&Account, String> {
        self.account.get_or_try_init(|| self.introduced()).await
    }

    /// The account of this installation, which the authority may know already.
    async fn introduced(&self) -> Result<Account, String> {
        let told = |error: instant_acme::Error| format!("the authority does not know us: {error}");
        let builder = match &self.acme.ca {
            Some(ca) => Account::builder_with_root(ca),
            None => Account::builder(),
        };
        let der = self.acme.key.account();
        let key = Key::from_pkcs8_der(PrivatePkcs8KeyDer::from(der.as_slice())).map_err(told)?;
        let pair = (key, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.to_vec())));
        let (account, _) =
            builder.map_err(told)?.create_from_key(pair, self.acme.directory.clone()).await.map_err(told)?;
        Ok(account)
    }

    /// Has a certificate issued for a name that leads to edges which know of the account.
    pub(crate) async fn issue(&self, name: &str) -> Result<Issued, String> {
        let account = self.account().await?;
        let told = |error: instant_acme::Error| format!("the authority refuses: {error}");
        let identifiers = [Identifier::Dns(name.to_owned())];
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(told)?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(told)?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let challenge = authorization.challenge(ChallengeType::Http01);
            challenge.ok_or("the authority does not prove names by HTTP")?.set_ready().await.map_err(told)?;
        }
        let retries = RetryPolicy::new().timeout(PATIENCE);
        let status = order.poll_ready(&retries).await.map_err(told)?;
        if status != OrderStatus::Ready {
            return Err(self.why(&mut order).await);
        }
        let key = order.finalize().await.map_err(told)?;
        let chain = order.poll_certificate(&retries).await.map_err(told)?;
        let (begins_at, expires_at) = validity(&chain).ok_or("the authority’s certificate cannot be read")?;
        Ok(Issued { chain, key, expires_at, renew_at: begins_at + (expires_at - begins_at) * 2 / 3 })
    }

    /// What the authority says of the challenges of an order that came to nothing.
    async fn why(&self, order: &mut instant_acme::Order) -> String {
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            let Ok(state) = authorization.refresh().await else { continue };
            let error = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
            if let Some(error) = error {
                return format!("the authority could not see that the name leads here: {error}");
            }
        }
        "the authority refused the order".to_owned()
    }
}

/// From when to when the first certificate of a chain is good.
fn validity(chain: &str) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let leaf = CertificateDer::from_pem_slice(chain.as_bytes()).ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&leaf).ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.to_datetime(), validity.not_after.to_datetime()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_good_from_a_moment_to_another() {
        let made = rcgen::generate_simple_self_signed(vec!["www.example".to_owned()]).unwrap();
        let (begins_at, expires_at) = validity(&made.cert.pem()).unwrap();
        assert!(begins_at < expires_at);
        assert_eq!(validity("nothing"), None);
    }
}
