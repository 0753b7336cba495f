//! What is gone for good, and the page that says so.

use super::{Pages, Sent};
use crate::body::Body;
use crate::fold::Shown;
use crate::hosts;
use crate::refusal::Refusal;
use crate::respond::{self, is_read};
use crate::routes::{Domain, Kind, Route, Target};
use answers::{Answer, host};
use events::routing::RoutePath;
use http::request::Parts;
use http::{Response, StatusCode};
use rules::Asked;
use storage::{Manifest, SiteFile};

impl Pages {
    /// The page that a route names, of the site whose host it is; a plain one where there is none, or no such site.
    pub(super) async fn of_gone(&self, table: &Shown, page: Option<&RoutePath>, request: &Parts) -> Response<Body> {
        let named = page.filter(|_| is_read(request)).zip(self.home(table, request));
        let told = match named {
            Some((page, target)) => Box::pin(self.gone(&target, page, request)).await,
            None => None,
        };
        told.unwrap_or_else(|| Refusal::PageGone.page(&request.method, Some(Kind::Live)))
    }

    /// What the host that is asked shows where no route leads elsewhere.
    fn home(&self, table: &Shown, request: &Parts) -> Option<Target> {
        let name = hosts::of(request).and_then(host::name)?;
        match host::label(&name, &self.base_domain) {
            Some(label) => match table.routes.resolve(label)? {
                Route::Shows(target) => Some(target),
                Route::Moved(_) => None,
            },
            None => match table.routes.domain(&name)? {
                Domain::Shows(site) => table.routes.live(site),
                Domain::Leads(_) => None,
            },
        }
    }

    async fn gone(&self, target: &Target, page: &RoutePath, request: &Parts) -> Option<Response<Body>> {
        let manifest = self.content.manifest(&target.site, &target.deploy).await.ok()?;
        // A page is named by its file or by its address, whatever addresses pages have.
        let found = answered(&manifest, target, page.as_str());
        let again = if let Answer::Redirect(address) = &found { Some(address.clone()) } else { None };
        let file = told(again.map_or(found, |address| answered(&manifest, target, &address)))?;
        let reply = respond::shown_as(file, StatusCode::GONE, target, request);
        self.with_body(target, reply, Some(Sent::plain(file))).await.ok()
    }
}

fn answered<'m>(manifest: &'m Manifest, target: &Target, path: &str) -> Answer<'m> {
    answers::answer(manifest, None, target.serving, &Asked { path, ..Asked::default() }).answer
}

fn told(answer: Answer<'_>) -> Option<&SiteFile> {
    match answer {
        Answer::File(file) => Some(file),
        Answer::As(..)
        | Answer::Led { .. }
        | Answer::Redirect(_)
        | Answer::NotFound(_)
        | Answer::Malformed
        | Answer::TooLong => None,
    }
}
