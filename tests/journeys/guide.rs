//! What the user's guide tells, done in a browser and nowhere else: from a link that signs in to a live site with an edit, its preview,
//! a roll-back and a second person. The guide's pictures are taken on the way, and Pagefold builds and serves it.

use journeys::{Browser, Platform, workspace};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Where the guide is kept afterwards with its pictures, if somebody wants it.
const KEPT: &str = "PAGEFOLD_GUIDE";

/// Somebody at a browser, who follows the guide.
struct Reader<'p> {
    browser: Browser,
    platform: &'p Platform,
    screens: PathBuf,
}

impl<'p> Reader<'p> {
    async fn new(platform: &'p Platform, guide: &Path) -> Self {
        Self { browser: Browser::start().await, platform, screens: guide.join("screens") }
    }

    async fn shows(&self, picture: &str) {
        self.browser.picture(&self.screens.join(format!("{picture}.png"))).await;
    }

    async fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.platform.web())).await;
    }

    async fn reads(&self, label: &str, text: &str) {
        self.browser.reads(&self.platform.host(label).address(), text).await;
    }
}

#[tokio::test]
async fn a_person_comes_from_nothing_to_a_live_site_by_browser_alone_and_the_guide_shows_it() {
    let platform = Platform::start().await;
    let guide = platform.folder().join("guide");
    copy(&workspace().join("docs/guide"), &guide);
    let reader = Reader::new(&platform, &guide).await;
    create(&reader).await;
    edit(&reader).await;
    publish(&reader).await;
    roll_back(&reader).await;
    invite(&reader).await;
    serve(&reader, &guide).await;
    if let Some(kept) = std::env::var_os(KEPT) {
        copy(&guide, Path::new(&kept));
    }
}

async fn create(reader: &Reader<'_>) {
    let browser = &reader.browser;
    browser.open(reader.platform.operator(&["sign-in-link"]).trim()).await;
    browser.sees("There are no sites yet").await;
    reader.shows("home").await;
    browser.choose("Begin with", "Markdown with Hugo").await;
    browser.fill("Name", "almanac").await;
    browser.fill("Organization", "printers").await;
    reader.shows("new-site").await;
    browser.press_beside("Begin with", "Create").await;
    reader.open("/sites/almanac").await;
    // The page goes on by itself.
    browser.sees("newest build").await;
    reader.shows("site").await;
    browser.press("#1").await;
    browser.sees("done:").await;
    reader.shows("build").await;
    reader.reads("almanac", "It works").await;
}

async fn edit(reader: &Reader<'_>) {
    let browser = &reader.browser;
    reader.open("/sites/almanac").await;
    browser.press("Files").await;
    browser.press("content/_index.md").await;
    browser.fill("Text", "---\ntitle: Spring\n---\n\n# An almanac for spring\n\nOne *page* for every day.\n").await;
    // It is shown while it is written.
    browser.sees("An almanac for spring").await;
    browser.fill("What has changed", "Write for spring").await;
    browser.fill("On the branch", "spring").await;
    reader.shows("editor").await;
    let found = browser.axe().await;
    assert!(found.is_empty(), "{found:?}");
    browser.press("Save").await;
    browser.sees("Files of spring").await;
    reader.open("/sites/almanac").await;
    browser.sees("preview/spring").await;
    reader.shows("preview").await;
    reader.reads("spring--almanac", "An almanac for spring").await;
    reader.reads("almanac", "It works").await;
}

async fn publish(reader: &Reader<'_>) {
    let browser = &reader.browser;
    reader.open("/sites/almanac/source?branch=spring").await;
    reader.shows("publish").await;
    browser.press("Publish spring").await;
    reader.reads("almanac", "An almanac for spring").await;
}

async fn roll_back(reader: &Reader<'_>) {
    let browser = &reader.browser;
    // Readers see it before the dashboard does, whose page goes on by itself; the list of all deploys stands still.
    reader.open("/sites/almanac").await;
    browser.sees("Roll live back").await;
    reader.open("/sites/almanac/deploys").await;
    browser.press_beside("#1", "Roll live back").await;
    reader.open("/sites/almanac").await;
    browser.sees("chosen by").await;
    reader.shows("rollback").await;
    reader.reads("almanac", "It works").await;
    reader.open("/timeline?site=almanac").await;
    browser.press("was set to build 1 by hand").await;
    reader.shows("timeline").await;
}

async fn invite(reader: &Reader<'_>) {
    let browser = &reader.browser;
    reader.open("/organizations/printers").await;
    browser.press("Invite somebody").await;
    browser.fill("Mail", "ada@agency.example").await;
    browser.press_beside("everything for its sites", "Invite").await;
    browser.sees("good once").await;
    reader.shows("invite").await;
    let text = browser.text().await;
    let link = text.split_whitespace().find(|word| word.contains("/invitations/")).unwrap().to_owned();

    let second = Reader { browser: Browser::start().await, platform: reader.platform, screens: reader.screens.clone() };
    second.browser.open(&link).await;
    second.browser.fill("What are you called?", "Ada Lovelace").await;
    second.browser.press("Join").await;
    second.browser.sees("almanac").await;
    second.shows("second").await;
    second.open("/account").await;
    second.browser.sees("Ada Lovelace").await;
    reader.open("/organizations/printers").await;
    browser.sees("Ada Lovelace").await;
}

/// The guide is a site like any other. Every page of it can be read, and every picture is there.
async fn serve(reader: &Reader<'_>, guide: &Path) {
    let site = reader.platform.site("guide", json!({})).await;
    site.repository.write(guide);
    site.publish(1, []).await;
    reader.reads("guide", "from nothing to a live site").await;
    let mut pages = 0;
    for link in reader.browser.links().await {
        reader.browser.open(&link).await;
        let missing = "return [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)";
        assert_eq!(reader.browser.run(missing, json!([])).await, json!([]), "{link}");
        let found = reader.browser.axe().await;
        assert!(found.is_empty(), "{link}: {found:?}");
        pages += 1;
    }
    assert_eq!(pages, 4);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let copied = std::process::Command::new("cp").arg("-R").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success(), "cp: {copied}");
}
