//! All tables that are folded, with the rows of them that are in memory.

use crate::Error;
use crate::aliases::AliasRow;
use crate::builds::BuildRow;
use crate::credentials::CredentialRow;
use crate::deploys::DeployRow;
use crate::domains::DomainRow;
use crate::hosts::Host;
use crate::identities::IdentityRow;
use crate::invitations::InvitationRow;
use crate::locks::LockRow;
use crate::members::MemberRow;
use crate::notices::NoticeRow;
use crate::organizations::OrganizationRow;
use crate::receivers::ReceiverRow;
use crate::routes::RouteRow;
use crate::shares::ShareLinkRow;
use crate::sites::SiteRow;
use crate::table::{Held, Row};
use crate::tokens::TokenRow;
use crate::users::UserRow;
use crate::variables::VariableRow;
use events::Recorded;
use sqlx::postgres::PgConnection;

/// Names every folded table once.
macro_rules! tables {
    ($($table:ident: $row:ty),* $(,)?) => {
        /// Rows of every folded table.
        pub(crate) struct Tables {
            $($table: Held<$row>,)*
        }

        impl Tables {
            /// None of the rows that the tables may have.
            pub(crate) const fn none() -> Self {
                Self { $($table: Held::none(),)* }
            }

            /// All rows of empty tables.
            pub(crate) const fn all() -> Self {
                Self { $($table: Held::all(),)* }
            }

            /// Whether a fact names what it is about, as far as a table must know.
            pub(crate) fn check(fact: &Recorded) -> Result<(), Error> {
                $(<$row>::touched(fact)?;)*
                Ok(())
            }

            /// Applies `facts`. What the tables may have of it is taken out of them.
            pub(crate) async fn fold(
                &mut self,
                connection: &mut PgConnection,
                schema: &str,
                facts: &[&Recorded],
            ) -> Result<(), Error> {
                $(self.$table.fold(connection, schema, facts).await?;)*
                Ok(())
            }

            /// Puts all rows into the tables.
            pub(crate) async fn put_back(&mut self, connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
                $(self.$table.put_back(connection, schema).await?;)*
                Ok(())
            }

            /// Puts the older rows of tables of which more than `most` are here into them.
            pub(crate) async fn shrink(
                &mut self,
                connection: &mut PgConnection,
                schema: &str,
                most: usize,
            ) -> Result<(), Error> {
                $(self.$table.shrink(connection, schema, most).await?;)*
                Ok(())
            }
        }

        impl std::fmt::Debug for Tables {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.debug_struct("Tables")$(.field(stringify!($table), &self.$table.len()))*.finish()
            }
        }
    };
}

tables! {
    organizations: OrganizationRow,
    sites: SiteRow,
    hosts: Host,
    builds: BuildRow,
    deploys: DeployRow,
    aliases: AliasRow,
    locks: LockRow,
    users: UserRow,
    members: MemberRow,
    invitations: InvitationRow,
    identities: IdentityRow,
    tokens: TokenRow,
    receivers: ReceiverRow,
    notices: NoticeRow,
    variables: VariableRow,
    credentials: CredentialRow,
    routes: RouteRow,
    share_links: ShareLinkRow,
    domains: DomainRow,
}
