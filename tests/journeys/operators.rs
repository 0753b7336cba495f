//! What an operator sees on the command line.

use journeys::{Fact, Platform, executable};
use serde_json::json;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn an_operator_reads_the_log_as_lines_as_stories_and_as_events() {
    let platform = Platform::shared().await;
    let site = platform.site("listed", json!({})).await;
    let pushed = site.push("main", [("index.html", "listed")]).await;
    let promoted = site.promoted(1).await;
    let story = ["--correlation", pushed.event.as_str()];
    let list = |format: &str| platform.operator(&[&["events", "list", "--format", format], &story[..]].concat());

    let compact = list("compact");
    let lines: Vec<&str> = compact.lines().collect();
    let first = lines.last().unwrap();
    assert!(first.contains("repository.push_received") && first.contains("Work on main"), "newest first: {compact}");
    assert!(first.contains(&promoted.time[..10]), "with its date: {compact}");
    assert!(compact.contains("listed: `live` now shows build 2"), "{compact}");
    let feed = list("feed");
    assert!(feed.contains(&format!("story {}", pushed.event)) && feed.contains("by service:syncer"), "{feed}");
    let events: Vec<Fact> = list("json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() >= 7 && events.iter().all(|fact| fact.correlation == pushed.event), "{events:?}");

    for named in [&promoted.sequence().to_string(), &promoted.id] {
        let shown = platform.operator(&["events", "show", named]);
        assert_eq!(serde_json::from_str::<Fact>(&shown).unwrap(), promoted);
    }
    let about =
        platform.operator(&["events", "list", "--site", "listed", "--subject", &format!("alias/{}/live", site.id)]);
    assert_eq!(about.lines().count(), 1, "{about}");
    assert!(!platform.try_operator(&["events", "show", "99999999"]).status.success());
}

#[tokio::test]
async fn a_list_of_facts_is_bounded_and_says_what_it_left_out() {
    let platform = Platform::shared().await;
    let site = platform.site("bounded", json!({})).await;
    let promoted = site.publish(1, [("index.html", "bounded")]).await;
    let list = |arguments: &[&str]| {
        let listed = platform.try_operator(&[&["events", "list", "--site", "bounded", "--json"], arguments].concat());
        assert!(listed.status.success(), "{listed:?}");
        let facts = String::from_utf8(listed.stdout).unwrap();
        let facts: Vec<Fact> = facts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (facts, String::from_utf8(listed.stderr).unwrap())
    };
    let (newest, told) = list(&["--limit", "2"]);
    assert!(newest.len() == 2 && newest[0].sequence() > newest[1].sequence(), "{newest:?}");
    let oldest = newest[1].sequence().to_string();
    assert!(told.contains("left out: older facts") && told.contains("--before "), "{told}");
    let (older, told) = list(&["--limit", "1", "--before", &oldest]);
    assert!(older[0].sequence() < newest[1].sequence() && told.contains("newer facts"), "{older:?} {told}");
    let (of_type, _) = list(&["--type", "alias.promoted", "--type", "deploy"]);
    assert!(of_type.contains(&promoted) && of_type.iter().all(|fact| fact.name() != "build.finished"), "{of_type:?}");
    let (since, told) = list(&["--since", &promoted.time]);
    assert!(since.contains(&promoted) && since.iter().all(|fact| fact.sequence() >= promoted.sequence()), "{since:?}");
    assert!(told.contains("older than was asked for"), "{told}");
    assert!(list(&["--since", "1w"]).0.len() > since.len());
}

#[tokio::test]
async fn an_operator_watches_facts_as_they_are_stated() {
    let platform = Platform::shared().await;
    let site = platform.site("tailed", json!({})).await;
    let data = platform.data();
    let tail = ["events", "tail", "--format", "json", "--subject", "deploy", "--data", data.to_str().unwrap()];
    let mut tail = Command::new(executable()).args(tail).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let id = site.id.clone();
    let watched = tokio::spawn(async move {
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            let fact: Fact = serde_json::from_str(&line).unwrap();
            if fact.data["site"] == id.as_str() {
                return (fact, lines);
            }
        }
    });
    // It tails from where the log ends when it starts, so one of these pushes comes after that.
    let mut number = 0;
    while !watched.is_finished() {
        number += 1;
        site.publish(number, [("index.html", number.to_string().as_str())]).await;
    }
    let (fact, _lines) = watched.await.unwrap();
    assert_eq!(fact.name(), "deploy.synced");
    assert_eq!(tail.try_wait().unwrap(), None, "it goes on");
}

#[tokio::test]
async fn an_operator_sees_a_site_as_it_was() {
    let platform = Platform::shared().await;
    let site = platform.site("remembered", json!({})).await;
    let first = site.publish(1, [("index.html", "first")]).await;
    let second = site.publish(2, [("index.html", "second")]).await;
    let deploy = |fact: &Fact| fact.data["deploy"].as_str().unwrap().to_owned();
    let show = |at: &[&str]| platform.operator(&[&["site", "show", "remembered"], at].concat());

    let now = show(&[]);
    assert!(now.contains(&deploy(&second)) && !now.contains(&deploy(&first)), "{now}");
    for at in [first.sequence().to_string(), first.time.clone()] {
        let then = show(&["--at", &at]);
        assert!(then.contains(&deploy(&first)) && !then.contains(&deploy(&second)), "at {at}: {then}");
        assert!(then.contains("builds   2, 1 succeeded"), "at {at}: {then}");
    }
    let before = site.facts().first().unwrap().sequence() - 1;
    let before = platform.try_operator(&["site", "show", "remembered", "--at", &before.to_string()]);
    assert!(String::from_utf8_lossy(&before.stderr).contains("there was no site `remembered` then"), "{before:?}");
}
