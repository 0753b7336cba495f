//! A repository at GitHub, as somebody with a token may ask about it.

use github::{Api, Failed};
use http::Method;
use serde_json::Value;

/// A repository and who asks about it.
pub(super) struct Repository<'a> {
    pub(super) api: Api<'a>,
    /// Where the API knows it.
    pub(super) url: String,
}

/// By whom comments of ours are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Author {
    App(u64),
    User(u64),
}

impl Repository<'_> {
    /// What there is at a path below the repository.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.api.get(&format!("{}{path}", self.url)).await
    }

    /// What comes of telling that to a path below the repository.
    pub(super) async fn tell(&self, method: Method, path: &str, body: Value) -> Result<Value, Failed> {
        self.api.tell(method, &format!("{}{path}", self.url), body).await
    }

    /// Whose the token is.
    pub(super) async fn author(&self) -> Result<Author, Failed> {
        let api = self.url.split("/repos/").next().unwrap_or_default();
        let user = self.api.get(&format!("{api}/user")).await?;
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
