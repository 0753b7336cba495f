//! A browser as a person uses one: Chromium, asked by WebDriver (W3C) through its own driver.

mod driver;
mod looks;

use crate::{DEADLINE, eventually, folder};
use driver::Driver;
pub use looks::Violation;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// The key of an element's id in every answer (WebDriver 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What is wrong with an element that a page has just replaced or not yet shown: it is sought again.
const PASSING: [&str; 4] =
    ["stale element reference", "element not interactable", "element click intercepted", "no such element"];

/// A browser with a profile of its own: who is signed in here is signed in nowhere else.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one, at 1100 by 900 points.
    ///
    /// # Panics
    /// If there is no Chromium or no driver: `just setup` installs both.
    pub async fn start() -> Self {
        let (driver, profile) = (Driver::start().await, folder::temporary());
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--window-size=1100,900".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let options = json!({ "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let begun = driver.ask(Method::POST, "/session", &wanted).await.unwrap();
        let session = format!("/session/{}", begun["sessionId"].as_str().unwrap());
        let browser = Self { driver, session, _profile: profile };
        browser.resize(1100, 900).await;
        browser
    }

    /// Opens a page.
    pub async fn open(&self, address: &str) {
        self.ask("/url", &json!({ "url": address })).await;
    }

    /// Where it is.
    pub async fn address(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    /// Presses what a person would: the first link, button or heading that unfolds something with this text.
    pub async fn press(&self, text: &str) {
        let tags = "self::a or self::button or self::summary";
        self.press_at(&format!("//*[{tags}][contains(normalize-space(.), {})]", quoted(text))).await;
    }

    /// The same beside another text: in the row of a table, the form or the part of a page that has `beside` in it.
    pub async fn press_beside(&self, beside: &str, text: &str) {
        let place =
            format!("//*[self::tr or self::section or self::li or self::form][contains(., {})]", quoted(beside));
        self.press_at(&format!("{place}//*[self::a or self::button][contains(normalize-space(.), {})]", quoted(text)))
            .await;
    }

    async fn press_at(&self, path: &str) {
        let what = format!("`{path}` to be pressed at {}", self.address().await);
        eventually(&what, || async {
            let element = self.sought(path).await?;
            self.try_ask(&format!("/element/{element}/click"), &json!({})).await
        })
        .await;
    }

    /// Writes into the field with this label, in the place of what is there.
    pub async fn fill(&self, label: &str, text: &str) {
        let path = format!("//*[@id = //label[contains(normalize-space(.), {})]/@for]", quoted(label));
        eventually(&format!("the field `{label}`"), || async {
            let element = self.sought(&path).await?;
            self.try_ask(&format!("/element/{element}/clear"), &json!({})).await?;
            self.try_ask(&format!("/element/{element}/value"), &json!({ "text": text })).await
        })
        .await;
    }

    /// Chooses what has this text from the list with this label.
    pub async fn choose(&self, label: &str, option: &str) {
        let list = format!("//select[@id = //label[contains(normalize-space(.), {})]/@for]", quoted(label));
        self.press_at(&format!("{list}/option[contains(normalize-space(.), {})]", quoted(option))).await;
    }

    /// Waits until the page shows this text. A page that goes on by itself need not be loaded again.
    pub async fn sees(&self, text: &str) {
        let path = format!("//main//*[contains(normalize-space(.), {})]", quoted(text));
        let what = format!("`{text}` at {}", self.address().await);
        eventually(&what, || async { self.sought(&path).await }).await;
    }

    /// Loads the page at `address` again and again until it shows this text: for sites, whose pages do not go on by themselves.
    pub async fn reads(&self, address: &str, text: &str) {
        eventually(&format!("`{text}` at {address}"), || async {
            self.open(address).await;
            self.text().await.contains(text).then_some(())
        })
        .await;
    }

    /// All text of the page.
    pub async fn text(&self) -> String {
        self.run("return document.body.innerText", json!([])).await.as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key (WebDriver 17.4.2).
    pub async fn key(&self, key: char) {
        let strokes = ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }));
        self.ask("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] })).await;
    }

    /// What a function answers whose body is `script`.
    pub async fn run(&self, script: &str, arguments: Value) -> Value {
        self.ask("/execute/sync", &json!({ "script": script, "args": arguments })).await
    }

    /// Keeps a picture of what is shown.
    ///
    /// # Panics
    /// If it cannot be written.
    pub async fn picture(&self, file: &Path) {
        let picture = driver::decoded(self.get("/screenshot").await.as_str().unwrap());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, picture).unwrap();
    }

    async fn sought(&self, path: &str) -> Option<String> {
        let found = self.try_ask("/element", &json!({ "using": "xpath", "value": path })).await?;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    async fn get(&self, path: &str) -> Value {
        self.driver.ask(Method::GET, &format!("{}{path}", self.session), &Value::Null).await.unwrap()
    }

    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Value {
        let answer = self.driver.ask(Method::POST, &format!("{}{path}", self.session), body).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Nothing if what is wrong may pass.
    async fn try_ask(&self, path: &str, body: &Value) -> Option<Value> {
        match self.driver.ask(Method::POST, &format!("{}{path}", self.session), body).await {
            Ok(answer) => Some(answer),
            Err(error) if PASSING.iter().any(|passing| error.starts_with(passing)) => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// What the browser itself is told (Chrome DevTools Protocol).
    pub(crate) async fn tell(&self, command: &str, parameters: Value) {
        self.ask("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver.end(DEADLINE);
    }
}

/// A text in an expression of XPath 1.0, which has no way to escape a quote.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text}");
    format!("\"{text}\"")
}
