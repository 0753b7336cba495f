//! How a site answers its readers, as the API tells it: every field, whatever its default.

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
}

impl From<Serving> for Shown {
    fn from(serving: Serving) -> Self {
        let Serving { html_handling, not_found_handling, rules_dialect } = serving;
        Self { html_handling, not_found_handling, rules_dialect }
    }
}
