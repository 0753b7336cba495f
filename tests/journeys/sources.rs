//! The sources of the stories' sites.

use journeys::Gate;

/// A package whose script `pages` runs `build.js`.
pub(crate) const PACKAGE: (&str, &str) =
    ("package.json", r#"{ "name": "story", "version": "1.0.0", "scripts": { "pages": "node build.js" } }"#);

/// A site that stands at `gate` while it is built, and then has `page` for its page.
pub(crate) async fn gated_push<'p>(site: &journeys::Site<'p>, branch: &str, gate: &Gate, page: &str) {
    let script = gate.script(&format!("writeFileSync('_site/index.html', '{page}')"));
    site.push(branch, [PACKAGE, ("build.js", &script)]).await;
}
