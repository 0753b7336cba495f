//! What an operator makes of a fleet's servers, which come as they are.

use super::Fleet;
use crate::{child, eventually};
use std::process::Output;

impl Fleet {
    /// Makes what services expect, as an operator does, as soon as the log has a leader.
    pub async fn provision(&self) {
        let run = || {
            let variables = self.plan.provision_by(&self.administrator());
            async { tokio::task::spawn_blocking(move || child::run_with(&["provision"], &variables)).await.unwrap() }
        };
        eventually("the log to be provisioned", || async { run().await.status.success().then_some(()) }).await;
    }

    /// What provisioning says when it fails, with some variables of its own.
    ///
    /// # Panics
    /// If it does not fail.
    #[must_use]
    pub fn try_provision(&self, other: &[(&str, &str)]) -> String {
        let mut variables = self.plan.provision();
        variables.extend(other.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let output = tokio::task::block_in_place(|| child::run_with(&["provision"], &variables));
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// How provisioning a fresh PostgreSQL ends, by an administrator's URL.
    #[must_use]
    pub fn provision_by(&self, administrator: &str) -> Output {
        let variables = self.plan.provision_by(administrator);
        tokio::task::block_in_place(|| child::run_with(&["provision"], &variables))
    }

    /// PostgreSQL, as its superuser reaches it.
    #[must_use]
    pub fn administrator(&self) -> String {
        self.plan.postgres().administrator()
    }

    /// The read model, as its reader reaches it.
    #[must_use]
    pub fn reader(&self) -> String {
        self.plan.reader()
    }
}
