//! Whom a site shall let in, as a caller wants it.

use super::given;
use crate::problem::Problem;
use events::access::{Access, Hosts, Mode, PASSWORD_MAX, PASSWORD_MIN};
use secrecy::SecretString;
use serde::Deserialize;
use std::fmt;
use utoipa::ToSchema;

/// Whom a site lets in: what is absent stays, `null` asks for `public`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = NewAccess)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// To its live host.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Gate>)]
    live: Option<Option<Gate>>,
    /// To the hosts of its previews and its demo.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Gate>)]
    preview: Option<Option<Gate>>,
}

/// Who is let in.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = NewGate)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    /// `public`, `members` who have signed in, whoever knows the `password`, or by share `link` alone.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) mode: Option<Mode>,
    /// The password, 6 to 200 bytes; the one before if absent. It is never told.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 200)]
    pub(crate) password: Option<Password>,
}

/// A password that somebody chose. It is nowhere printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Password(pub(crate) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Wanted {
    /// What these gates ask for, each if it is given.
    pub(crate) fn of(live: Option<Gate>, preview: Option<Gate>) -> Self {
        Self { live: live.map(Some), preview: preview.map(Some) }
    }

    /// What `null` asks for.
    pub(super) const fn open() -> Self {
        Self { live: Some(None), preview: Some(None) }
    }

    fn gates(&self) -> [(Hosts, Option<&Option<Gate>>); 2] {
        [(Hosts::Live, self.live.as_ref()), (Hosts::Preview, self.preview.as_ref())]
    }

    /// The rules of a site that has `present` ones.
    pub(super) fn onto(&self, present: Access) -> Result<Access, Problem> {
        let mut access = present;
        for (hosts, gate) in self.gates() {
            let mode = match gate {
                None => continue,
                Some(None) => Mode::Public,
                Some(Some(gate)) => {
                    let mode = gate.mode.unwrap_or(present.to(hosts));
                    if let Some(Password(password)) = &gate.password {
                        check(password, mode)?;
                    }
                    mode
                }
            };
            match hosts {
                Hosts::Live => access.live = mode,
                Hosts::Preview => access.preview = mode,
            }
        }
        Ok(access)
    }

    /// The passwords that are given.
    pub(crate) fn passwords(&self) -> Vec<(Hosts, SecretString)> {
        let given =
            |(hosts, gate): (Hosts, Option<&Option<Gate>>)| Some((hosts, gate?.as_ref()?.password.clone()?.0.into()));
        self.gates().into_iter().filter_map(given).collect()
    }
}

fn check(password: &str, mode: Mode) -> Result<(), Problem> {
    if mode != Mode::Password {
        return Err(Problem::InvalidInput("`access` takes a password only where its mode is `password`".to_owned()));
    }
    if (PASSWORD_MIN..=PASSWORD_MAX).contains(&password.len()) {
        Ok(())
    } else {
        Err(Problem::InvalidInput(format!("`access`: a password has {PASSWORD_MIN} to {PASSWORD_MAX} bytes")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn onto(present: Access, asked: serde_json::Value) -> Result<Access, String> {
        let wanted: Wanted = serde_json::from_value(asked).map_err(|error| error.to_string())?;
        wanted.onto(present).map_err(|problem| problem.to_string())
    }

    #[test]
    fn access_is_patched_gate_by_gate() {
        let open = Access::default();
        let closed = onto(open, json!({ "preview": { "mode": "link" } })).unwrap();
        assert_eq!(closed, Access { preview: Mode::Link, ..open });
        let both = onto(closed, json!({ "live": { "mode": "password", "password": "correct horse" } })).unwrap();
        assert_eq!(both, Access { live: Mode::Password, preview: Mode::Link });
        assert_eq!(onto(both, json!({ "live": { "password": "another" } })), Ok(both));
        assert_eq!(onto(both, json!({ "live": null, "preview": {} })), Ok(closed));
        assert_eq!(onto(both, json!({})), Ok(both));
    }

    #[test]
    fn a_password_is_for_what_opens_by_one_and_neither_short_nor_long() {
        for (asked, why) in [
            (json!({ "live": { "password": "correct horse" } }), "only where"),
            (json!({ "live": { "mode": "link", "password": "correct horse" } }), "only where"),
            (json!({ "live": { "mode": "password", "password": "short" } }), "6 to 200"),
            (json!({ "live": { "mode": "password", "password": "x".repeat(201) } }), "6 to 200"),
            (json!({ "live": { "mode": "closed" } }), "members"),
            (json!({ "demo": { "mode": "link" } }), "demo"),
        ] {
            let error = onto(Access::default(), asked.clone()).unwrap_err();
            assert!(error.contains(why), "{asked}: {error}");
        }
        let wanted: Wanted = serde_json::from_value(json!({ "live": { "password": "correct horse" } })).unwrap();
        assert!(!format!("{wanted:?}").contains("horse"));
    }
}
