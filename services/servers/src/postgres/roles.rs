//! The server's roles and its database: put in place at every start, so that a start that was interrupted is completed by
//! the next.

use super::cluster::Cluster;
use super::{DATABASE, Error, Role};
use crate::process::{Process, Silence};
use projections::{Administrator, Login, Wanted};
use std::time::Duration;

/// How long one try to connect may take: a server that recovers may be slow to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Waits until the server takes connections, then sees to roles and database.
pub(super) async fn prepare(process: &Process, cluster: &Cluster) -> Result<(), Error> {
    let endpoint = &cluster.endpoint;
    let url = endpoint.url_of(Role::Administrator, "postgres");
    let connect = async || Administrator::connect(&url, ANSWER_TIMEOUT).await;
    let connected = process.answer(connect, projections::Error::is_answer, |_| {}).await;
    let mut administrator = connected.map_err(|silence| match silence {
        Silence::Ended => cluster.exited(),
        Silence::Final(error) => Error::setup("connect to the private postgres", error),
    })?;
    let login = |role: Role| Login { name: role.name().to_owned(), password: endpoint.password(role).clone() };
    let wanted = Wanted::new(DATABASE.to_owned(), login(Role::Owner));
    administrator.make(&wanted, Some(&login(Role::Reader))).await.map_err(Error::Roles)?;
    let closed = administrator.close().await;
    closed.map_err(|error| Error::setup("set up the roles of the private postgres", error))
}
