//! A repository at GitHub, as somebody with a token may ask about it.

use crate::http::Http;
use crate::hub::{Failed, ask};
use http::Method;
use serde_json::Value;

/// A repository and who asks about it.
pub(super) struct Repository<'a> {
    pub(super) http: &'a Http,
    /// Where the API knows it.
    pub(super) url: String,
    pub(super) token: &'a str,
}

/// By whom comments of ours are.
pub(super) enum Author {
    App(u64),
    User(u64),
}

impl Repository<'_> {
    /// What the API says at a path below the repository.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failed> {
        ask(self.http, self.token, (method, &format!("{}{path}", self.url)), body).await
    }

    /// Whose the token is.
    pub(super) async fn author(&self) -> Result<Author, Failed> {
        let api = self.url.split("/repos/").next().unwrap_or_default();
        let user = ask(self.http, self.token, (Method::GET, &format!("{api}/user")), None).await?;
        user["id"].as_u64().map(Author::User).ok_or_else(|| Failed::said("nobody at GitHub has its token"))
    }
}

impl Author {
    /// Whether a comment is theirs, by what nobody else can make it say.
    pub(super) fn wrote(&self, comment: &Value) -> bool {
        match self {
            Self::App(id) => comment["performed_via_github_app"]["id"].as_u64() == Some(*id),
            Self::User(id) => comment["user"]["id"].as_u64() == Some(*id),
        }
    }
}
