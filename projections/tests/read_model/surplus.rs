//! Which deploys are kept no longer.

use crate::database::{Database, facts};
use crate::fixture::{Story, site_id};
use events::building::{Keeping, SETTLING};
use events::{DeployId, SiteEvent};
use projections::Model;
use std::num::NonZeroU16;
use time::{Duration, OffsetDateTime};

const HOUR: Duration = Duration::HOUR;

/// A site that keeps so many, for so many days.
fn keeping(story: &mut Story, site: &str, deploys: u16, days: u16) -> [events::Recorded; 2] {
    let created = story.site_created(site);
    let events::Event::Site(SiteEvent::Created { settings, .. }) = &created.event else { panic!("{created:?}") };
    let mut settings = settings.clone();
    settings.building.keeping = Keeping { deploys: NonZeroU16::new(deploys).unwrap(), days };
    let changed = story.site(site, SiteEvent::SettingsChanged { settings });
    [created, changed]
}

async fn numbers(model: &Model, at: OffsetDateTime) -> Vec<(String, u64)> {
    let surplus = model.surplus(None, at, 10).await.unwrap();
    surplus.into_iter().map(|row| (row.name.to_string(), row.number)).collect()
}

#[tokio::test]
async fn the_newest_stay_and_the_shown_and_the_young_and_those_that_wait_to_be_shown() {
    let (mut story, database) = (Story::default(), Database::new().await);
    let mut history = keeping(&mut story, "docs", 2, 0).to_vec();
    history.extend(keeping(&mut story, "young", 1, 30));
    history.extend(keeping(&mut story, "left", 1, 0));
    let builds: Vec<_> = (0..4).map(|_| story.next_build()).collect();
    for (number, build) in (1..).zip(&builds) {
        history.push(story.synced("docs", *build, number));
    }
    for site in ["young", "left"] {
        for number in 1..=2 {
            let build = story.next_build();
            history.push(story.synced(site, build, number));
        }
    }
    // The first was rolled back to.
    history.push(story.promoted("docs", builds[0], 1));
    history.push(story.site("left", SiteEvent::Deleted {}));
    let last = history.last().unwrap().envelope.time;
    database.live().apply(&facts(&history)).await.unwrap();
    let model = database.live();
    assert_eq!(numbers(&model, last + HOUR).await, [("docs".to_owned(), 2)]);
    let in_time = last + Duration::days(31);
    assert_eq!(numbers(&model, in_time).await, [("young".to_owned(), 1), ("docs".to_owned(), 2)]);
    let stored = model.deploy(&DeployId::of(builds[1])).await.unwrap().unwrap().created_at;
    assert_eq!(numbers(&model, stored + SETTLING).await, [], "it may be about to be shown");
    let of_young = model.surplus(Some(site_id("young")), in_time, 10).await.unwrap();
    assert_eq!((of_young.len(), of_young[0].keeping.days), (1, 30));
    assert_eq!(model.surplus(None, in_time, 1).await.unwrap().len(), 1);

    let collected = story.collected("docs", builds[1]);
    let at = collected.envelope.time;
    model.apply(&facts(&[collected])).await.unwrap();
    assert_eq!(
        numbers(&model, last + HOUR).await,
        [],
        "what is gone goes once, and is not counted with those that stay"
    );
    let collected_at = model.deploy(&DeployId::of(builds[1])).await.unwrap().unwrap().collected_at.unwrap();
    assert!((at - collected_at).abs() < Duration::MILLISECOND, "{collected_at}");
}
