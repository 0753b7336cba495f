//! How a site answers its readers, as the API tells it: every field, whatever its default.

use events::access::Mode;
use events::event::{HtmlHandling, NotFoundHandling, RulesDialect, Serving};
use serde::Serialize;
use utoipa::ToSchema;

/// How a site answers its readers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteServing)]
pub(super) struct Shown {
    /// Which addresses its pages have: `auto-trailing-slash`, `force-trailing-slash`, `drop-trailing-slash` or `none`.
    #[schema(value_type = String)]
    html_handling: HtmlHandling,
    /// What answers where there is no file: `404-page`, `single-page-application` or `none`.
    #[schema(value_type = String)]
    not_found_handling: NotFoundHandling,
    /// By whose grammar `_redirects` and `_headers` are read: `netlify` or `cloudflare`.
    #[schema(value_type = String)]
    rules_dialect: RulesDialect,
    /// Whom it lets in.
    access: AccessShown,
}

/// Whom a site lets in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteAccess)]
struct AccessShown {
    /// To its live host.
    live: GateShown,
    /// To the hosts of its previews and its demo.
    preview: GateShown,
}

/// Who is let in. A password is never told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteGate)]
struct GateShown {
    /// `public`, `members`, `password` or `link`.
    #[schema(value_type = String)]
    mode: Mode,
}

impl From<Serving> for Shown {
    fn from(serving: Serving) -> Self {
        let Serving { html_handling, not_found_handling, rules_dialect, access } = serving;
        let [live, preview] = [access.live, access.preview].map(|mode| GateShown { mode });
        Self { html_handling, not_found_handling, rules_dialect, access: AccessShown { live, preview } }
    }
}
