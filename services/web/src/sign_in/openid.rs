//! Any provider of OpenID Connect: discovered, asked for a code with PKCE, and believed by its signature.

use super::flow::{Flow, Purpose};
use super::outside::Outside;
use super::{Departure, Vouched, Way};
use crate::config;
use crate::problem::Problem;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse,
};
use runtime::error::BoxError;
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long what a provider says of itself is believed: its keys change.
const KNOWN_FOR: Duration = Duration::from_secs(10 * 60);

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A provider.
#[derive(Debug)]
pub(super) struct OpenId {
    config: config::OpenId,
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl OpenId {
    pub(super) fn new(config: config::OpenId) -> Self {
        Self { config, known: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    pub(super) fn issuer(&self) -> &str {
        &self.config.issuer
    }

    pub(super) async fn depart(&self, outside: &Outside, back: &str, purpose: Purpose) -> Result<Departure, Problem> {
        let client = self.client(outside, back).await.map_err(Problem::ProviderUnavailable)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = Flow::new(Way::OpenId, purpose, &verifier);
        let (state, nonce) = (CsrfToken::new(flow.state()), Nonce::new(flow.nonce.clone()));
        let asking = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce);
        let scopes = ["email", "profile"].map(|scope| Scope::new(scope.to_owned()));
        let (url, _, _) = asking.add_scopes(scopes).set_pkce_challenge(challenge).url();
        Ok(Departure { url: url.to_string(), flow })
    }

    pub(super) async fn arrive(
        &self,
        outside: &Outside,
        back: &str,
        flow: &Flow,
        code: String,
    ) -> Result<Vouched, Problem> {
        let client = self.client(outside, back).await.map_err(Problem::ProviderUnavailable)?;
        match self.vouched(outside, &client, flow, code).await {
            Ok(vouched) => Ok(vouched),
            Err(error) => {
                // It may have other keys by now.
                *self.known.lock().await = None;
                tracing::warn!(error = runtime::error::chain(&*error), "a provider vouched for nobody");
                Err(Problem::SignInFailed)
            }
        }
    }

    async fn vouched(
        &self,
        outside: &Outside,
        client: &Client,
        flow: &Flow,
        code: String,
    ) -> Result<Vouched, BoxError> {
        let exchange = client.exchange_code(AuthorizationCode::new(code))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
        let answer: CoreTokenResponse = exchange.request_async(outside).await?;
        let claims = self.claims(client, flow, &answer)?;
        // Many tell an address only to whoever asks for it.
        let subject = Some(claims.subject().clone());
        let told: Option<CoreUserInfoClaims> = match client.user_info(answer.access_token().clone(), subject) {
            Ok(asking) if claims.email().is_none() => Some(asking.request_async(outside).await?),
            Ok(_) | Err(_) => None,
        };
        Ok(self.person(&claims, told.as_ref()))
    }

    /// What the provider has signed, for this client, this browser and this access token.
    fn claims(&self, client: &Client, flow: &Flow, answer: &CoreTokenResponse) -> Result<CoreIdTokenClaims, BoxError> {
        let token = answer.id_token().ok_or("the provider sent no ID token")?;
        let verifier = client.id_token_verifier();
        let claims = token.claims(&verifier, &Nonce::new(flow.nonce.clone()))?;
        if let Some(expected) = claims.access_token_hash() {
            let (algorithm, key) = (token.signing_alg()?, token.signing_key(&verifier)?);
            if AccessTokenHash::from_token(answer.access_token(), algorithm, key)? != *expected {
                return Err("the access token is not the one that the ID token is about".into());
            }
        }
        Ok(claims.clone())
    }

    fn person(&self, claims: &CoreIdTokenClaims, told: Option<&CoreUserInfoClaims>) -> Vouched {
        let subject = claims.subject().as_str();
        let verified = claims.email().filter(|_| claims.email_verified() == Some(true));
        let verified =
            verified.or_else(|| told.filter(|told| told.email_verified() == Some(true)).and_then(|told| told.email()));
        let email = verified.map(|email| email.as_str().to_owned());
        let name = claims.name().or_else(|| told.and_then(|told| told.name())).and_then(|name| name.get(None));
        let called = claims
            .preferred_username()
            .or_else(|| told.and_then(|told| told.preferred_username()))
            .map(|name| name.as_str());
        let account = email.as_deref().or(called).unwrap_or(subject).to_owned();
        Vouched {
            issuer: self.config.issuer.clone(),
            subject: subject.to_owned(),
            account,
            name: name.map(|name| name.as_str()).or(called).map(str::to_owned),
            email,
        }
    }

    async fn client(&self, outside: &Outside, back: &str) -> Result<Client, BoxError> {
        let (id, secret) = (self.config.client_id.clone(), self.config.client_secret.expose_secret().to_owned());
        let metadata = self.metadata(outside).await?;
        let client = CoreClient::from_provider_metadata(metadata, ClientId::new(id), Some(ClientSecret::new(secret)));
        Ok(client.set_redirect_uri(RedirectUrl::new(back.to_owned())?))
    }

    async fn metadata(&self, outside: &Outside) -> Result<CoreProviderMetadata, BoxError> {
        let mut known = self.known.lock().await;
        if let Some((_, metadata)) = known.as_ref().filter(|(since, _)| since.elapsed() < KNOWN_FOR) {
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone())?;
        let metadata = CoreProviderMetadata::discover_async(issuer, outside).await?;
        *known = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }
}
