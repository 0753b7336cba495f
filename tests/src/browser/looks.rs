//! How a page looks to different people: on narrow screens, in the dark, elsewhere on earth, without scripts, and to axe.

use super::Browser;
use crate::workspace;
use serde::Deserialize;
use serde_json::{Value, json};

/// What axe holds against a page: WCAG 2.2 A and AA, and what axe's makers found good.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const AXE: &str = ".tools/node/node_modules/axe-core/axe.min.js";
/// Everything that a page is made of, as it came: compressed, and without what a cache had.
const WEIGHT: &str = "const parts = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return parts.filter((part) => part.initiatorType !== 'fetch').reduce((sum, part) => sum + part.encodedBodySize, 0);";

/// What axe found.
#[derive(Debug, Deserialize)]
pub struct Violation {
    /// The rule.
    pub rule: String,
    /// Where, and what is wrong there.
    pub places: Vec<String>,
}

impl Browser {
    /// A screen of another size.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// A reader who wants it dark, or light.
    pub async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.tell("Emulation.setEmulatedMedia", features).await;
    }

    /// A reader in another time zone.
    pub async fn in_zone(&self, zone: &str) {
        self.tell("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    }

    /// A browser that runs scripts of pages, or none.
    pub async fn scripts(&self, run: bool) {
        self.tell("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// What axe finds on the page.
    ///
    /// # Panics
    /// If axe is not there: `just setup` installs it.
    pub async fn axe(&self) -> Vec<Violation> {
        let axe = std::fs::read_to_string(workspace().join(AXE)).unwrap();
        self.run(&axe, json!([])).await;
        let look = "const done = arguments[1];
            const told = (node) => `${node.html}: ${node.failureSummary}`;
            const found = ({ id, nodes }) => ({ rule: id, places: nodes.map(told) });
            axe.run(document, { runOnly: { type: 'tag', values: arguments[0] } })
                .then(({ violations }) => done(violations.map(found)), (error) => done(String(error)));";
        let found = self.ask("/execute/async", &json!({ "script": look, "args": [RULES] })).await;
        serde_json::from_value(found.clone()).unwrap_or_else(|_| panic!("axe: {found}"))
    }

    /// By how many points the page is wider than the screen.
    pub async fn overflow(&self) -> i64 {
        let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        self.run(wider, json!([])).await.as_i64().unwrap()
    }

    /// How many bytes of the page came over the line.
    pub async fn weight(&self) -> u64 {
        self.run(WEIGHT, json!([])).await.as_u64().unwrap()
    }

    /// The addresses that the page leads to.
    pub async fn links(&self) -> Vec<String> {
        let links: Value = self.run("return [...document.links].map((link) => link.href)", json!([])).await;
        serde_json::from_value(links).unwrap()
    }
}
