//! GitHub, which speaks OAuth 2 and tells in its API who has come.

use super::flow::{Flow, Purpose};
use super::outside::Outside;
use super::{Departure, Granted, Vouched, Way};
use crate::config;
use crate::problem::Problem;
use http::{Request, header};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use runtime::error::BoxError;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// GitHub, or a server of its kind.
#[derive(Debug)]
pub(super) struct GitHub(config::GitHub);

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

/// What GitHub is asked to let us do: no more than the purpose needs. There is no scope for private repositories that is not one for
/// everything in all of them.
const fn scopes(purpose: &Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Enter { .. } | Purpose::Join { .. } | Purpose::Connect { .. } => &["read:user", "user:email"],
        Purpose::Repositories { .. } => &["public_repo", "write:repo_hook"],
    }
}

impl GitHub {
    pub(super) fn new(config: config::GitHub) -> Self {
        Self(config)
    }

    pub(super) fn issuer(&self) -> &str {
        &self.0.url
    }

    pub(super) fn depart(&self, back: &str, purpose: Purpose) -> Result<Departure, Problem> {
        let client = self.client(back).map_err(Problem::ProviderUnavailable)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = Flow::new(Way::GitHub, purpose, &verifier);
        let scopes = scopes(&flow.purpose).iter().map(|&scope| Scope::new(scope.to_owned()));
        let asking = client.authorize_url(|| CsrfToken::new(flow.state())).add_scopes(scopes);
        let (url, _) = asking.set_pkce_challenge(challenge).url();
        Ok(Departure { url: url.to_string(), flow })
    }

    pub(super) async fn arrive(
        &self,
        outside: &Outside,
        back: &str,
        flow: &Flow,
        code: String,
    ) -> Result<Vouched, Problem> {
        self.vouched(outside, back, flow, code).await.map_err(|error| {
            tracing::warn!(error = runtime::error::chain(&*error), "GitHub vouched for nobody");
            Problem::SignInFailed
        })
    }

    async fn vouched(&self, outside: &Outside, back: &str, flow: &Flow, code: String) -> Result<Vouched, BoxError> {
        let token = &self.exchanged(outside, back, flow, code).await?;
        let user: User = self.ask(outside, "/user", token).await?;
        let emails: Vec<Email> = self.ask(outside, "/user/emails", token).await?;
        let email = emails.into_iter().find(|email| email.primary && email.verified).map(|email| email.email);
        let name = user.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| user.login.clone());
        Ok(Vouched {
            issuer: self.0.url.clone(),
            subject: user.id.to_string(),
            account: user.login,
            name: Some(name),
            email,
        })
    }

    /// What somebody has granted who comes back with `code`.
    pub(super) async fn granted(
        &self,
        outside: &Outside,
        back: &str,
        flow: &Flow,
        code: String,
    ) -> Result<Granted, Problem> {
        let granted = async {
            let token = self.exchanged(outside, back, flow, code).await?;
            let user: User = self.ask(outside, "/user", &token).await?;
            Ok::<_, BoxError>(Granted { account: user.login, token: token.into() })
        };
        granted.await.map_err(|error| {
            tracing::warn!(error = runtime::error::chain(&*error), "GitHub granted nothing");
            Problem::SignInFailed
        })
    }

    async fn exchanged(&self, outside: &Outside, back: &str, flow: &Flow, code: String) -> Result<String, BoxError> {
        let exchange = self.client(back)?;
        let exchange = exchange.exchange_code(AuthorizationCode::new(code));
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
        Ok(exchange.request_async(outside).await?.access_token().secret().clone())
    }

    async fn ask<T: DeserializeOwned>(&self, outside: &Outside, path: &str, token: &str) -> Result<T, BoxError> {
        let request = Request::get(format!("{}{path}", self.0.api_url))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::ACCEPT, "application/vnd.github+json")
            .header(header::USER_AGENT, "pagefold")
            .header("x-github-api-version", "2022-11-28");
        let answer = outside.send(request.body(Vec::new())?).await?;
        if !answer.status().is_success() {
            return Err(format!("{path} was answered with {}", answer.status()).into());
        }
        Ok(serde_json::from_slice(answer.body())?)
    }

    fn client(&self, back: &str) -> Result<Client, BoxError> {
        let config::GitHub { url, client_id, client_secret, .. } = &self.0;
        Ok(BasicClient::new(ClientId::new(client_id.clone()))
            .set_client_secret(ClientSecret::new(client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::new(format!("{url}/login/oauth/authorize"))?)
            .set_token_uri(TokenUrl::new(format!("{url}/login/oauth/access_token"))?)
            .set_redirect_uri(RedirectUrl::new(back.to_owned())?))
    }
}
