//! The pages as people with different eyes, hands and screens have them.

mod pages;

use journeys::{Browser, Platform};
use pages::{Walk, long_names};
use serde_json::{Value, json};

/// What a page may weigh over the line, in bytes, without the log of a build.
const WEIGHT_MAX: u64 = 100_000;
/// A narrow screen, in points (WCAG 2.2, 1.4.10).
const NARROW: u32 = 320;

#[tokio::test]
async fn every_page_is_accessible_light_and_narrow_however_long_the_names_are() {
    let platform = Platform::start().await;
    let longest = long_names(&platform).await;
    let browser = Browser::start().await;
    let mut walk = Walk::new(platform.web(), &longest);
    for stranger in ["/login", "/nowhere"] {
        browser.open(&format!("{}{stranger}", platform.web())).await;
        walk.look(&browser, stranger).await;
    }
    browser.open(platform.operator(&["sign-in-link"]).trim()).await;
    walk.go(&browser).await;
    assert!(walk.seen.len() > 20, "{:?}", walk.seen);
    assert!(walk.faults.is_empty(), "{} faults:\n{}", walk.faults.len(), walk.faults.join("\n"));
}

#[tokio::test]
async fn everything_is_reached_by_keyboard_in_the_order_of_the_page_and_seen_where_it_is() {
    let platform = Platform::shared().await;
    let site = platform.site("typed", json!({})).await;
    site.publish(1, [("index.html", "typed")]).await;
    let browser = Browser::start().await;
    browser.open(platform.operator(&["sign-in-link"]).trim()).await;
    browser.open(&format!("{}/sites/typed", platform.web())).await;
    let stops = "return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]
        .filter((stop) => stop.checkVisibility() && stop.tabIndex >= 0).length";
    let stops = browser.run(stops, json!([])).await.as_u64().unwrap();
    let mut places: Vec<u64> = Vec::new();
    for _ in 0..stops {
        browser.key('\u{e004}').await;
        // Its place among all elements, and whether it is marked.
        let at = "const at = document.activeElement;
            return [[...document.querySelectorAll('*')].indexOf(at), at.matches(':focus-visible') && getComputedStyle(at).outlineStyle !== 'none', at.outerHTML]";
        let at = browser.run(at, json!([])).await;
        assert_eq!(at[1], true, "it is not seen that the keyboard is here: {}", at[2]);
        places.push(at[0].as_u64().unwrap());
    }
    assert!(places.len() > 10 && places.is_sorted_by(|one, other| one < other), "{places:?}");
    let skipped = "document.querySelector('.skip').focus(); document.activeElement.click(); return location.hash";
    assert_eq!(browser.run(skipped, json!([])).await, "#content");
}

#[tokio::test]
async fn moments_are_told_in_the_readers_own_time_and_in_utc_without_a_script() {
    let platform = Platform::shared().await;
    let _ = platform.site("dated", json!({})).await;
    let browser = Browser::start().await;
    browser.open(platform.operator(&["sign-in-link"]).trim()).await;
    let shown = "const time = document.querySelector('main time');
        return { at: time.dateTime, title: time.title, text: time.textContent, zone: document.querySelector('#zone').textContent }";
    let look = async |zone: &str| {
        browser.in_zone(zone).await;
        browser.open(&format!("{}/sites/dated", platform.web())).await;
        browser.run(shown, json!([])).await
    };
    let (tokyo, utc) = (look("Asia/Tokyo").await, look("UTC").await);
    assert_ne!(tokyo["text"], utc["text"]);
    assert_eq!((tokyo["title"].as_str(), tokyo["at"].as_str()), (utc["title"].as_str(), utc["at"].as_str()));
    assert_eq!(utc["title"], format!("{} UTC", utc["text"].as_str().unwrap()));
    assert!(tokyo["zone"].as_str().unwrap().contains("Asia/Tokyo"), "{tokyo}");
    browser.scripts(false).await;
    let plain: Value = look("Asia/Tokyo").await;
    assert_eq!((&plain["text"], plain["zone"].as_str()), (&utc["text"], Some("Times are UTC.")));
}

#[tokio::test]
async fn a_site_is_seen_as_it_was_by_a_slider_with_and_without_a_script() {
    let platform = Platform::shared().await;
    let site = platform.site("slid", json!({})).await;
    let first = site.publish(1, [("index.html", "one")]).await;
    let second = site.publish(2, [("index.html", "two")]).await;
    let (one, two) = (site.deploy(1).await.id, site.deploy(2).await.id);
    let browser = Browser::start().await;
    browser.open(platform.operator(&["sign-in-link"]).trim()).await;
    let page = format!("{}/sites/slid/past", platform.web());
    browser.open(&page).await;
    browser.sees(&two).await;
    let slide = "const slider = document.querySelector('input[type=range]'); slider.value = arguments[0];
        slider.dispatchEvent(new Event('input', { bubbles: true }));";
    browser.run(slide, json!([first.sequence()])).await;
    browser.sees(&one).await;
    assert!(browser.address().await.ends_with(&format!("/past?at={}", first.sequence())));
    browser.scripts(false).await;
    browser.open(&format!("{page}?at={}", second.sequence() - 1)).await;
    browser.sees(&one).await;
    browser.press("Change after").await;
    browser.sees(&two).await;
    browser.press("Open that version").await;
    browser.reads(&browser.address().await, "two").await;
}
