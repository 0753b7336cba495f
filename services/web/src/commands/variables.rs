//! What the builds of a site are given in their environment. Values are sealed before they reach the log, with a key that is
//! the site's own and that launchers can open too.

use super::active::active;
use super::execute::commit;
use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::place::Place;
use crate::problem::Problem;
use events::authority::Command;
use events::variable::{VALUE_MAX, VALUE_MIN, Variable};
use events::{Context, Site, VariableName, site};
use runtime::Owner;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use subtle::ConstantTimeEq;

/// A variable to be set.
pub(crate) struct NewVariable {
    pub(crate) name: VariableName,
    pub(crate) value: SecretString,
    /// Which builds have it.
    pub(crate) contexts: BTreeSet<Context>,
}

impl NewVariable {
    fn check(&self) -> Result<(), Problem> {
        let value = self.value.expose_secret();
        if !(VALUE_MIN..=VALUE_MAX).contains(&value.len()) || value.contains('\0') {
            let why = format!("`value` must have {VALUE_MIN} to {VALUE_MAX} bytes, and none of them 0");
            return Err(Problem::InvalidInput(why));
        }
        if self.contexts.is_empty() {
            return Err(Problem::InvalidInput("`contexts` must name at least one".to_owned()));
        }
        Ok(())
    }

    /// Whether a variable has this value already, for these contexts.
    fn is(&self, present: &Variable, key: &runtime::OwnerKey) -> bool {
        let value = key.open(&present.value).map(SecretString::from);
        let same = |value: SecretString| value.expose_secret().as_bytes().ct_eq(self.value.expose_secret().as_bytes());
        present.contexts == self.contexts && value.is_some_and(|value| same(value).into())
    }
}

/// Sets a variable of a site's builds. The same again is no other fact.
pub(crate) async fn set_variable(app: &Shared, place: &Place, new: NewVariable, caller: Caller) -> Result<(), Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeBuildSecrets, About::Site(id)).await?;
    new.check()?;
    let present = active(app, id).await?.variables;
    let key = app.build_secrets.introduce(Owner::Builds(id)).await?;
    if present.get(&new.name).is_some_and(|present| new.is(present, &key)) {
        return Ok(());
    }
    let variable = Variable { value: key.seal(new.value.expose_secret()), contexts: new.contexts };
    let command = site::Command::SetVariable(new.name, variable);
    commit(app, app.log.transaction(cause).with::<Site>(id, command)).await.map(drop)
}

/// Builds of the site have the variable no more, if they had it.
pub(crate) async fn remove_variable(
    app: &Shared,
    place: &Place,
    name: VariableName,
    caller: Caller,
) -> Result<(), Problem> {
    let id = app.site_id(place).await?;
    let cause = permit(app, &caller, Command::ChangeBuildSecrets, About::Site(id)).await?;
    let command = site::Command::RemoveVariable(name);
    commit(app, app.log.transaction(cause).with::<Site>(id, command)).await.map(drop)
}
