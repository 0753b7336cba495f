//! What a GitHub delivery means to us: a pure translation, and the check of its signature.

mod pulls;

use crate::problem::Problem;
use crate::signature::Signature;
use events::repository::{Change, Delivery, PATHS_BYTES_MAX, PATHS_MAX};
use events::{Branch, CommitId, RepositoryUrl, SiteId};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::BTreeSet;
use subtle::ConstantTimeEq;

/// Longest summary of a push, in characters.
const SUMMARY_MAX: usize = 200;
/// Longest delivery id, in bytes; GitHub's are UUIDs.
pub(crate) const DELIVERY_MAX: usize = 100;
/// The event that a webhook is tried with when it is made.
pub(crate) const PING: &str = "ping";
pub(crate) const PUSH: &str = "push";
pub(crate) const PULL_REQUEST: &str = "pull_request";
/// GitHub lists this many commits of a push at most, and 20 in older versions: a push with fewer is told whole.
const COMMITS_TOLD: usize = 20;
const BRANCHES: &str = "refs/heads/";
/// What in a commit message asks not to build it, in any case.
const SKIP: [&str; 2] = ["[skip ci]", "[ci skip]"];

/// The part of a push that we use; GitHub's schema allows the rest to be anything.
#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    before: String,
    after: String,
    #[serde(default)]
    deleted: bool,
    head_commit: Option<Head>,
    repository: Source,
    /// Whether commits went that were there before: what is told of the others is not all that changed.
    #[serde(default)]
    forced: bool,
    #[serde(default)]
    commits: Commits,
}

/// The commits of a push, where they are told as GitHub tells them. Whatever else is there says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Commits {
    Told(Vec<Commit>),
    Untold(IgnoredAny),
}

impl Default for Commits {
    fn default() -> Self {
        Self::Untold(IgnoredAny)
    }
}

/// A commit of a push, as far as it tells which files it changed.
#[derive(Deserialize)]
struct Commit {
    added: Option<Vec<String>>,
    modified: Option<Vec<String>>,
    removed: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Source {
    clone_url: String,
}

/// Whether `header` has the shape of a signature: `sha256=` and 64 hexadecimal digits.
pub(crate) fn is_signature(header: &str) -> bool {
    let digits = header.strip_prefix("sha256=");
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The signature that a body should have, made while it arrives.
pub(crate) struct Signed(Signature);

impl Signed {
    pub(crate) fn with(secret: &[u8]) -> Self {
        Self(Signature::with(secret))
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.0.update(chunk);
    }

    /// Whether `header` (`sha256=<hex>`) is it. Takes the same time wherever a guess goes wrong.
    pub(crate) fn is(self, header: &str) -> bool {
        let mut presented = [0; 32];
        let digits = header.strip_prefix("sha256=");
        let readable = digits.is_some_and(|digits| hex::decode_to_slice(digits, &mut presented).is_ok());
        readable && bool::from(self.0.bytes().ct_eq(&presented))
    }
}

/// What a delivery of `event` tells; none if we have no use for it.
pub(crate) fn translate(event: &str, delivery: &str, payload: &[u8]) -> Result<Option<Delivery>, Problem> {
    match event {
        PUSH => translate_push(delivery, read(payload)?),
        PULL_REQUEST => pulls::translate(delivery, read(payload)?),
        _ => Ok(None),
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(payload).map_err(|error| Problem::MalformedPayload(error.to_string()))
}

fn translate_push(delivery: &str, push: Push) -> Result<Option<Delivery>, Problem> {
    let Some(branch) = push.reference.strip_prefix(BRANCHES) else { return Ok(None) };
    let branch: Branch = branch.parse()?;
    let repository: RepositoryUrl = push.repository.clone_url.parse()?;
    let (before, after) = (tip(&push.before)?, tip(&push.after)?);
    let change = match after.filter(|_| !push.deleted) {
        None => Change::Deleted,
        Some(commit) => {
            let message = push.head_commit.as_ref().map(|head| head.message.clone()).unwrap_or_default();
            let paths = push.paths();
            Change::Pushed { commit, skip: asks_to_skip(&message), summary: summary(&message), paths }
        }
    };
    Ok(Some(Delivery { id: delivery.to_owned(), repository, branch, before, change, site: None, pull_request: None }))
}

impl Push {
    /// The files that it changed, if all are told and they are not too many: of a long push only the newest commits are listed.
    fn paths(&self) -> Option<Vec<String>> {
        let Commits::Told(commits) = &self.commits else { return None };
        if self.forced || commits.is_empty() || commits.len() >= COMMITS_TOLD {
            return None;
        }
        let mut paths = BTreeSet::new();
        for commit in commits {
            for changed in [&commit.added, &commit.modified, &commit.removed] {
                paths.extend(changed.as_ref()?);
            }
        }
        let is_long = paths.len() > PATHS_MAX || paths.iter().map(|path| path.len()).sum::<usize>() > PATHS_BYTES_MAX;
        (!is_long).then(|| paths.into_iter().cloned().collect())
    }
}

/// What is told of a delivery beside its meaning, whether it is genuine or not.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What its sender calls it, and what kind it is; empty if it does not say.
    pub(crate) delivery: String,
    pub(crate) event: String,
    pub(crate) repository: Option<RepositoryUrl>,
    /// The site whose address it came to, or whose secret signed it.
    pub(crate) site: Option<SiteId>,
}

/// Which repository a delivery claims to be about, whatever it tells.
pub(crate) fn claimed(payload: &[u8]) -> Option<RepositoryUrl> {
    #[derive(Deserialize)]
    struct Claim {
        repository: Source,
    }
    serde_json::from_slice::<Claim>(payload).ok()?.repository.clone_url.parse().ok()
}

/// A commit; git writes zeros where there is none.
fn tip(text: &str) -> Result<Option<CommitId>, Problem> {
    if !text.is_empty() && text.bytes().all(|byte| byte == b'0') {
        return Ok(None);
    }
    Ok(Some(text.parse()?))
}

/// Whether a commit message asks not to build it.
pub(crate) fn asks_to_skip(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    SKIP.iter().any(|mark| message.contains(mark))
}

pub(crate) fn summary(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim().chars().take(SUMMARY_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn push(changes: Value) -> Value {
        let mut push = json!({
            "ref": "refs/heads/main", "before": ONE, "after": TWO, "deleted": false,
            "head_commit": { "message": "Fix the title\n\nIt was wrong." },
            "repository": { "clone_url": "https://github.com/acme/docs.git" },
        });
        push.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        push
    }

    fn translated(changes: Value) -> Result<Option<Delivery>, Problem> {
        translate("push", "d-1", push(changes).to_string().as_bytes())
    }

    fn told(before: Option<&str>, change: Change) -> Option<Delivery> {
        Some(Delivery {
            id: "d-1".to_owned(),
            repository: "https://github.com/acme/docs.git".parse().unwrap(),
            branch: "main".parse().unwrap(),
            before: before.map(|before| before.parse().unwrap()),
            change,
            site: None,
            pull_request: None,
        })
    }

    #[test]
    fn a_push_tells_what_it_changed_if_all_of_it_is_known() {
        let commit = |file: &str| json!({ "added": [file], "modified": ["b"], "removed": [] });
        let paths = |changes: Value| match translated(changes).unwrap().unwrap().change {
            Change::Pushed { paths, .. } => paths,
            Change::Deleted => panic!("it was pushed"),
        };
        assert_eq!(paths(json!({ "commits": [commit("c"), commit("a")] })).unwrap(), ["a", "b", "c"]);
        for unknown in [
            json!({}),
            json!({ "commits": [] }),
            json!({ "commits": [{ "id": ONE }] }),
            json!({ "commits": ["x"] }),
            json!({ "commits": { "added": 1 } }),
            json!({ "commits": [commit("a")], "forced": true }),
            json!({ "commits": vec![commit("a"); 20] }),
            json!({ "commits": [{ "added": (0..101).collect::<Vec<_>>().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "modified": [], "removed": [] }] }),
            json!({ "commits": [commit(&"x".repeat(8_001))] }),
        ] {
            assert_eq!(paths(unknown.clone()), None, "{unknown}");
        }
    }

    fn received(before: Option<&str>, summary: &str) -> Option<Delivery> {
        told(
            before,
            Change::Pushed { commit: TWO.parse().unwrap(), summary: summary.to_owned(), skip: false, paths: None },
        )
    }

    #[test]
    fn a_push_to_a_branch_is_told() {
        assert_eq!(translated(json!({})).unwrap(), received(Some(ONE), "Fix the title"));
        assert_eq!(translated(json!({ "before": NONE })).unwrap(), received(None, "Fix the title"));
        assert_eq!(translated(json!({ "head_commit": null })).unwrap(), received(Some(ONE), ""));
    }

    #[test]
    fn a_summary_is_cut_by_characters() {
        let long = "ü".repeat(300);
        let cut = "ü".repeat(200);
        assert_eq!(translated(json!({ "head_commit": { "message": long } })).unwrap(), received(Some(ONE), &cut));
    }

    #[test]
    fn a_message_may_ask_not_to_build() {
        for (message, asks) in [
            ("Fix a typo [skip ci]", true),
            ("Fix a typo\n\nNothing to see. [CI Skip]", true),
            ("Explain skip ci", false),
            ("[skip]", false),
            ("", false),
        ] {
            let told = translated(json!({ "head_commit": { "message": message } })).unwrap().unwrap();
            let Change::Pushed { skip, .. } = told.change else { panic!("{told:?}") };
            assert_eq!(skip, asks, "{message:?}");
        }
    }

    #[test]
    fn a_deleted_branch_is_told_with_the_tip_that_went() {
        let deleted = translated(json!({ "deleted": true, "after": NONE, "head_commit": null })).unwrap();
        assert_eq!(deleted, told(Some(ONE), Change::Deleted));
        let unknown = translated(json!({ "deleted": true, "before": NONE, "after": NONE })).unwrap();
        assert_eq!(unknown, told(None, Change::Deleted));
    }

    #[test]
    fn tags_and_other_events_are_passed_over() {
        assert_eq!(translated(json!({ "ref": "refs/tags/v1" })).unwrap(), None);
        assert_eq!(translate("star", "d-1", b"anything").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_code() {
        let code = |outcome: Result<Option<Delivery>, Problem>| outcome.unwrap_err().kind().0;
        assert_eq!(code(translate("push", "d-1", b"{")), "malformed_payload");
        assert_eq!(code(translate("push", "d-1", b"{}")), "malformed_payload");
        assert_eq!(code(translated(json!({ "ref": "refs/heads/a..b" }))), "invalid_input");
        assert_eq!(code(translated(json!({ "after": "abc" }))), "invalid_input");
        let secret = json!({ "repository": { "clone_url": "https://me:hunter2@github.com/acme/docs" } });
        let problem = translated(secret).unwrap_err();
        assert_eq!(problem.kind().0, "invalid_input");
        assert!(!problem.to_string().contains("hunter2"));
    }

    #[test]
    fn only_the_right_signature_of_the_whole_body_is_accepted() {
        // The example of GitHub's documentation on validating deliveries.
        let (secret, body) = (b"It's a Secret to Everybody", b"Hello, World!");
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let is_signed = |secret: &[u8], body: &[u8], header: &str| {
            let mut signed = Signed::with(secret);
            body.chunks(3).for_each(|chunk| signed.update(chunk));
            signed.is(header)
        };
        assert!(is_signed(secret, body, good));
        for (secret, body, header) in [
            (&secret[..], &b"Hello, World?"[..], good),
            (&b"another"[..], &body[..], good),
            (secret, body, &good[..70]),
            (secret, body, good.strip_prefix("sha256=").unwrap()),
            (secret, body, "sha256="),
            (secret, body, ""),
        ] {
            assert!(!is_signed(secret, body, header), "{header:?}");
        }
        assert!(is_signature(good) && !is_signature(&good[..70]) && !is_signature(&good.replace('7', "x")));
    }
}
