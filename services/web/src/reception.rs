//! Where receivers of notices may be, and as how much of that anybody may see.

use crate::app::App;
use crate::problem::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events::address::Allowed;
use events::event::Reception;
use events::receiver::{Kind, Occasion};
use events::{Sealed, SiteId};
use http::Uri;
use runtime::Owner;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Longest address in bytes.
const ADDRESS_MAX: usize = 2000;
/// Longest token of a receiver in bytes.
const TOKEN_MAX: usize = 500;
/// What is shown of an address whose key is destroyed.
const UNREADABLE: &str = "unreadable";

/// The address as it is kept, if a receiver of this kind may have it.
pub(crate) fn address(kind: Kind, text: &str, allowed: &Allowed) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > ADDRESS_MAX || text.contains(char::is_control) {
        return Err(Problem::InvalidInput(format!("`address` must be one line of 1 to {ADDRESS_MAX} bytes")));
    }
    match kind {
        Kind::Webhook | Kind::Slack | Kind::Cdevents => url(text, allowed)?,
        Kind::Github => repository(text, allowed)?,
        Kind::Email if mailer::is_address(text) => {}
        Kind::Email => return Err(Problem::InvalidInput("`address` must be one address of mail".to_owned())),
    }
    Ok(text.to_owned())
}

fn url(text: &str, allowed: &Allowed) -> Result<(), Problem> {
    let wrong = || Problem::InvalidInput("`address` must be a URL that begins with https:// or http://".to_owned());
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let authority = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("https" | "http"))).ok_or_else(wrong)?;
    if authority.as_str().contains('@') {
        return Err(Problem::InvalidInput("`address` must not have a name or a password in it".to_owned()));
    }
    allowed.check_host(authority.host()).map_err(Problem::ReceiverNotAllowed)
}

/// The page of a repository. A token goes there, so nobody may listen on the way.
fn repository(text: &str, allowed: &Allowed) -> Result<(), Problem> {
    url(text, allowed)?;
    let uri: Uri = text.parse().map_err(|_| Problem::NotFound)?;
    let parts = uri.path().trim_matches('/').split('/').filter(|part| !part.is_empty()).count();
    if parts != 2 || uri.query().is_some() {
        let wrong = "`address` must be the page of a repository, such as https://github.com/acme/docs";
        return Err(Problem::InvalidInput(wrong.to_owned()));
    }
    if uri.scheme_str() != Some("https") && !allowed.private {
        return Err(Problem::InvalidInput(
            "`address` must begin with https://, since a token is sent there".to_owned(),
        ));
    }
    Ok(())
}

/// What anybody may see who sees the site: where to, and nothing that lets in there.
fn shown(kind: Kind, address: &str) -> String {
    match kind {
        // Who is told is no secret among the people of a site, and lets nobody in.
        Kind::Email | Kind::Github => address.to_owned(),
        Kind::Webhook | Kind::Slack | Kind::Cdevents => {
            let origin = address.match_indices('/').nth(2).map_or(address, |(end, _)| &address[..end]);
            format!("{origin}/…")
        }
    }
}

/// The same of what is sealed, for several receivers of one site.
pub(crate) async fn addresses(app: &App, site: SiteId, sealed: &[(Kind, Sealed)]) -> Result<Vec<String>, Problem> {
    if sealed.is_empty() {
        return Ok(Vec::new());
    }
    let key = app.vault.key(Owner::Site(site)).await?;
    let open = |(kind, address): &(Kind, Sealed)| {
        let opened = key.as_ref().and_then(|key| key.open(address));
        opened.map_or_else(|| UNREADABLE.to_owned(), |opened| shown(*kind, &opened))
    };
    Ok(sealed.iter().map(open).collect())
}

/// What a receiver may want, if it wants anything.
pub(crate) fn wants(wants: &BTreeSet<Occasion>) -> Result<(), Problem> {
    if wants.is_empty() || wants.contains(&Occasion::Test) {
        let words = Occasion::WANTED.map(Occasion::as_str).join("`, `");
        return Err(Problem::InvalidInput(format!("`wants` must have one or more of `{words}`")));
    }
    Ok(())
}

/// The same as the read model writes it.
pub(crate) fn wanted(words: &str) -> BTreeSet<Occasion> {
    let known = |word: &str| Occasion::WANTED.into_iter().find(|occasion| occasion.as_str() == word);
    words.split(' ').filter_map(known).collect()
}

/// What a receiver wants unless it says so.
pub(crate) fn usual(kind: Kind) -> BTreeSet<Occasion> {
    match kind {
        Kind::Webhook | Kind::Cdevents => Occasion::WANTED.into(),
        Kind::Slack | Kind::Email => [Occasion::BuildFailed, Occasion::Promoted].into(),
        Kind::Github => {
            use Occasion::{BuildCanceled, BuildFailed, BuildQueued, BuildStarted, BuildSucceeded, Promoted};
            [BuildQueued, BuildStarted, BuildSucceeded, BuildFailed, BuildCanceled, Promoted].into()
        }
    }
}

/// What is sealed beside the address: what signs, made here, or what lets in, given by who adds the receiver.
pub(crate) fn secret(kind: Kind, given: Option<&str>) -> Result<Option<String>, Problem> {
    let token = given.map(str::trim).filter(|token| !token.is_empty());
    match (kind, token) {
        (Kind::Webhook, None) => Ok(Some(signing())),
        (Kind::Slack | Kind::Email | Kind::Github | Kind::Cdevents, None) => Ok(None),
        (Kind::Github | Kind::Cdevents, Some(token)) if is_token(token) => Ok(Some(token.to_owned())),
        (Kind::Github | Kind::Cdevents, Some(_)) => {
            Err(Problem::InvalidInput(format!("`token` must be 1 to {TOKEN_MAX} visible characters of ASCII")))
        }
        (Kind::Webhook | Kind::Slack | Kind::Email, Some(_)) => {
            Err(Problem::InvalidInput(format!("a receiver of the kind `{}` takes no `token`", kind.as_str())))
        }
    }
}

/// What takes the place of a token that was given; nothing if it is empty.
pub(crate) fn other_token(kind: Kind, given: &str) -> Result<Option<String>, Problem> {
    match kind {
        Kind::Github | Kind::Cdevents => secret(kind, Some(given)),
        Kind::Webhook | Kind::Slack | Kind::Email => {
            Err(Problem::InvalidInput(format!("a receiver of the kind `{}` takes no `token`", kind.as_str())))
        }
    }
}

/// Whoever changes where a receiver is may not know its token, and does not learn it by having it sent to themselves.
pub(crate) fn stays(reception: &Reception, given: Option<&str>) -> Result<(), Problem> {
    match reception.kind {
        Kind::Github | Kind::Cdevents if reception.secret.is_some() && given.is_none() => {
            Err(Problem::InvalidInput("another `address` needs the `token` for it, too".to_owned()))
        }
        Kind::Webhook | Kind::Slack | Kind::Email | Kind::Github | Kind::Cdevents => Ok(()),
    }
}

fn is_token(text: &str) -> bool {
    text.len() <= TOKEN_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A new secret to sign with: 32 bytes, 244 of their bits random, as Standard Webhooks writes them.
fn signing() -> String {
    format!("whsec_{}", STANDARD.encode([Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_where_anybody_could_connect_to() {
        let open = Allowed { private: true, folders: Vec::new() };
        for (text, when_open, when_closed) in [
            ("https://example.org/hook?x=1", true, true),
            (" https://example.org:8443/hook ", true, true),
            ("http://127.0.0.1:9000/hook", true, false),
            ("http://[::1]/hook", true, false),
            ("http://localhost/hook", true, false),
            ("http://169.254.169.254/latest", false, false),
            ("https://ada:secret@example.org/", false, false),
            ("ftp://example.org/", false, false),
            ("example.org/hook", false, false),
            ("", false, false),
        ] {
            let may = |allowed: &Allowed| address(Kind::Webhook, text, allowed).is_ok();
            assert_eq!((may(&open), may(&Allowed::default())), (when_open, when_closed), "{text}");
        }
    }

    #[test]
    fn mail_goes_to_one_address_and_to_nothing_else() {
        let may = |text: &str| address(Kind::Email, text, &Allowed::default()).is_ok();
        assert!(may(" ada@mail.test ") && may("ada+pages@mail.test"));
        for wrong in
            ["ada", "@mail.test", "ada@", "ada@mail.test, ben@mail.test", "Ada <ada@mail.test>", "https://mail.test"]
        {
            assert!(!may(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_taken_where_there_is_a_use_for_it_and_nowhere_else() {
        assert!(secret(Kind::Webhook, None).unwrap().unwrap().starts_with("whsec_"));
        assert_eq!(secret(Kind::Cdevents, Some(" abc ")).unwrap().as_deref(), Some("abc"));
        for nothing in [None, Some("  ")] {
            assert_eq!(secret(Kind::Cdevents, nothing).unwrap(), None);
        }
        let long = "x".repeat(501);
        for (kind, token) in
            [(Kind::Webhook, "a"), (Kind::Slack, "a"), (Kind::Cdevents, "a b"), (Kind::Cdevents, &long)]
        {
            assert!(secret(kind, Some(token)).is_err(), "{kind:?} {token}");
        }
    }

    #[test]
    fn a_token_is_sent_to_the_page_of_a_repository_where_nobody_listens() {
        let may = |text: &str, private| address(Kind::Github, text, &Allowed { private, folders: Vec::new() }).is_ok();
        assert!(may("https://github.com/acme/docs", false) && may("http://127.0.0.1:9/acme/docs.git", true));
        assert!(!may("http://github.com/acme/docs", false));
        for wrong in [
            "https://github.com/acme",
            "https://github.com/acme/docs/pulls",
            "https://github.com/acme/docs?a",
            "acme/docs",
        ] {
            assert!(!may(wrong, true), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_of_an_address_lets_nobody_in() {
        assert_eq!(shown(Kind::Webhook, "https://example.org:8443/hook/secret?x=1"), "https://example.org:8443/…");
        assert_eq!(shown(Kind::Webhook, "https://example.org"), "https://example.org/…");
        assert_eq!(shown(Kind::Slack, "https://hooks.slack.com/services/T0/B0/x"), "https://hooks.slack.com/…");
        assert_eq!(shown(Kind::Email, "ada@mail.test"), "ada@mail.test");
    }
}
