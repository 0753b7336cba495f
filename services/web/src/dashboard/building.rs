//! The part of a site's settings that says when and how it is built.

use crate::problem::Problem;
use crate::settings::Wanted;
use events::{Building, CancelRunning};
use maud::{Markup, html};
use serde::Deserialize;

/// The fields as a browser sends them. The form of a new site has none of them.
#[derive(Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    cancel_running: Option<CancelRunning>,
}

impl Fields {
    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        Ok(Wanted { cancel_running: self.cancel_running.map(Some), ..Wanted::default() })
    }
}

const CANCEL_RUNNING: [(CancelRunning, &str); 3] = [
    (CancelRunning::Previews, "Previews only"),
    (CancelRunning::All, "Every branch, the live one too"),
    (CancelRunning::None, "No branch"),
];

/// The fields of a site that is built so.
pub(super) fn fields(building: &Building) -> Markup {
    html! {
        label for="cancel-running" { "A newer push ends the build that runs" }
        select #cancel-running name="cancel_running" aria-describedby="cancel-running-help" {
            @for (choice, what) in CANCEL_RUNNING {
                option value=(choice) selected[choice == building.cancel_running] { (what) }
            }
        }
        small #cancel-running-help { "A build that still waits is always replaced by a newer one of its branch." }
    }
}
