//! What of somebody who is vouched for is recorded here.

use crate::app::Shared;
use crate::problem::Problem;
use crate::sign_in::Vouched;
use events::{UserId, identity};
use runtime::Owner;

/// Longest name in bytes.
const NAME_MAX: usize = 100;

/// A text as somebody may be called.
pub(super) fn called(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if (1..=NAME_MAX).contains(&text.len()) && !text.contains(char::is_control) {
        Ok(text)
    } else {
        Err(Problem::InvalidInput(format!("`name` must be one line of 1 to {NAME_MAX} bytes")))
    }
}

/// What they are called, as far as that can be a name here.
pub(super) fn name_of(vouched: &Vouched) -> &str {
    let mut names = vouched.name.as_deref().into_iter().chain([vouched.account.as_str()]);
    names.find_map(|name| called(name).ok()).unwrap_or("somebody")
}

/// The command that makes an identity a person's.
pub(super) async fn bind(app: &Shared, vouched: &Vouched, user: UserId) -> Result<identity::Command, Problem> {
    let account = app.vault.introduce(Owner::Person(user)).await?.seal(&vouched.account);
    Ok(identity::Command::Bind { user, issuer: vouched.issuer.clone(), account })
}
