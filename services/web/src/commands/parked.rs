//! What a consumer could not handle: given to it again, or taken off the shelf.

use super::permit::{About, permit};
use crate::app::Shared;
use crate::caller::Caller;
use crate::problem::Problem;
use events::authority::Command;
use runtime::parked::{self, Parked};

/// What becomes of a parked fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its consumer gets it again.
    Retry,
    /// It is left as it is; it stays in the log.
    Drop,
}

/// Does with the fact that is parked as `id` what was decided.
pub(crate) async fn handle_parked(app: &Shared, id: u64, verdict: Verdict, caller: Caller) -> Result<Parked, Problem> {
    permit(app, &caller, Command::HandleParked, About::Platform).await?;
    let connection = app.log.connection();
    let handled = match verdict {
        Verdict::Retry => parked::retry(connection, id).await,
        Verdict::Drop => parked::discard(connection, id).await,
    };
    match handled {
        Ok(parked) => {
            let Parked { consumer, sequence, .. } = &parked;
            tracing::info!(actor = %caller.actor, ?verdict, consumer, sequence, "a parked fact was handled");
            Ok(parked)
        }
        Err(runtime::Error::Rejected { code: 404, .. }) => Err(Problem::NotFound),
        Err(error) => Err(error.into()),
    }
}
