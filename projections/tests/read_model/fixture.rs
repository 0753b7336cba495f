//! Facts made by hand, in the order of a log: every call is the next sequence, one second later.

use events::building::Keeping;
use events::event::Synced;
use events::{
    Actor, AliasEvent, AliasName, BuildEvent, BuildId, CommitId, DeployEvent, DeployId, Digest, Envelope, Event,
    EventId, Lane, OrganizationId, Outcome, PromotionReason, Recorded, SiteEngine, SiteEvent, SiteId, SiteSettings,
    ids,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// 2025-06-01T00:00:00Z, with a fraction that Postgres cannot hold: what is stored must still not depend on the cut.
const START_NS: i128 = 1_748_736_000_123_456_789;

/// A log under way.
#[derive(Debug, Default)]
pub(crate) struct Story {
    sequence: u64,
    builds: u128,
    /// The fact that what follows goes back to.
    pub(crate) correlation: Option<EventId>,
}

/// The id of the site called `name`.
pub(crate) fn site_id(name: &str) -> SiteId {
    SiteId(Uuid::new_v5(&Uuid::nil(), name.as_bytes()))
}

pub(crate) fn commit() -> CommitId {
    "c".repeat(40).parse().unwrap()
}

impl Story {
    pub(crate) fn next_build(&mut self) -> BuildId {
        self.builds += 1;
        BuildId(Uuid::from_u128(self.builds))
    }

    /// The next fact of the log.
    pub(crate) fn tell(&mut self, subject: impl ToString, actor: &str, event: impl Into<Event>) -> Recorded {
        self.sequence += 1;
        let id = ids::derived(Uuid::NAMESPACE_URL, "fixture", "fact", usize::try_from(self.sequence).unwrap());
        let at = START_NS + i128::from(self.sequence) * 1_000_000_000;
        let envelope = Envelope {
            id,
            source: "/pagefold/test".to_owned(),
            subject: subject.to_string(),
            time: OffsetDateTime::from_unix_timestamp_nanos(at).unwrap(),
            correlation: self.correlation.unwrap_or(id),
            causation: self.correlation,
            actor: Actor(actor.to_owned()),
            traceparent: None,
            tracestate: None,
        };
        Recorded { sequence: self.sequence, envelope, event: event.into() }
    }

    pub(crate) fn site(&mut self, site: &str, fact: SiteEvent) -> Recorded {
        self.tell(site_id(site), "token:alice", fact)
    }

    pub(crate) fn site_created(&mut self, site: &str) -> Recorded {
        self.site_created_by(OrganizationId(Uuid::nil()), site)
    }

    pub(crate) fn site_created_by(&mut self, organization: OrganizationId, site: &str) -> Recorded {
        let settings = SiteSettings {
            repository: "https://github.com/acme/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            demo_branch: Some("next".parse().unwrap()),
            engine: SiteEngine::NodeJs,
            building: events::Building::default(),
            serving: events::event::Serving::default(),
        };
        self.site(site, SiteEvent::Created { name: site.parse().unwrap(), organization, settings })
    }

    pub(crate) fn build(&mut self, id: BuildId, fact: BuildEvent) -> Recorded {
        self.tell(id, "service:scheduler", fact)
    }

    pub(crate) fn queued(&mut self, site: &str, id: BuildId, number: u64) -> Recorded {
        let fact = BuildEvent::Queued {
            site: site_id(site),
            number,
            source_sequence: number,
            repository: "https://github.com/acme/docs".parse().unwrap(),
            branch: "main".parse().unwrap(),
            alias: AliasName::Live,
            commit: None,
            engine: SiteEngine::NodeJs,
            lane: Lane::High,
            summary: format!("Build {number} — “ünïcödé” 📄"),
            recipe: Default::default(),
            pull_request: None,
            cache_from: None,
        };
        self.build(id, fact)
    }

    pub(crate) fn dispatched(&mut self, site: &str, id: BuildId) -> Recorded {
        self.build(id, BuildEvent::Dispatched { site: site_id(site) })
    }

    pub(crate) fn started(&mut self, site: &str, id: BuildId, attempt: u32) -> Recorded {
        self.build(id, BuildEvent::Started { site: site_id(site), attempt, worker: format!("worker-{attempt}") })
    }

    pub(crate) fn finished(&mut self, site: &str, id: BuildId, outcome: Outcome) -> Recorded {
        let fact = BuildEvent::Finished {
            site: site_id(site),
            number: 1,
            source_sequence: 1,
            branch: "main".parse().unwrap(),
            alias: AliasName::Live,
            commit: Some(commit()),
            attempt: 1,
            outcome,
            reason: String::new(),
            hint: None,
            artifact: None,
            duration_ms: 1200,
            steps: Vec::new(),
            resources: None,
        };
        self.build(id, fact)
    }

    pub(crate) fn canceled(&mut self, site: &str, id: BuildId) -> Recorded {
        let superseded_by = Some(BuildId(Uuid::from_u128(77)));
        self.build(id, BuildEvent::Canceled { site: site_id(site), reason: "A newer push.".to_owned(), superseded_by })
    }

    pub(crate) fn archived(&mut self, site: &str, id: BuildId) -> Recorded {
        self.build(id, BuildEvent::LogArchived { site: site_id(site), key: format!("logs/{id}"), bytes: 4096 })
    }

    pub(crate) fn synced(&mut self, site: &str, build: BuildId, number: u64) -> Recorded {
        let fact = DeployEvent::Synced(Synced {
            site: site_id(site),
            build,
            number,
            source_sequence: number,
            branch: "main".parse().unwrap(),
            alias: AliasName::Live,
            commit: commit(),
            content: Digest::of(b"files"),
            files: 3,
            bytes: 300,
            uploaded_files: 1,
            uploaded_bytes: 100,
            requests: 3,
        });
        self.tell(DeployId::of(build), "service:syncer", fact)
    }

    pub(crate) fn mirrored(&mut self, site: &str, build: BuildId) -> Recorded {
        let fact = DeployEvent::Mirrored { site: site_id(site), alias: AliasName::Live, written: 3, removed: 0 };
        self.tell(DeployId::of(build), "service:syncer", fact)
    }

    pub(crate) fn collected(&mut self, site: &str, build: BuildId) -> Recorded {
        let fact = DeployEvent::Collected { site: site_id(site), keeping: Keeping::default() };
        self.tell(DeployId::of(build), "service:web", fact)
    }

    pub(crate) fn promoted(&mut self, site: &str, build: BuildId, number: u64) -> Recorded {
        let fact = AliasEvent::Promoted {
            site: site_id(site),
            alias: AliasName::Live,
            deploy: DeployId::of(build),
            number,
            source_sequence: number,
            previous: None,
            reason: PromotionReason::Built,
        };
        self.tell(format!("{}/live", site_id(site)), "service:syncer", fact)
    }

    pub(crate) fn removed(&mut self, site: &str, build: BuildId) -> Recorded {
        let fact = AliasEvent::Removed { site: site_id(site), alias: AliasName::Live, previous: DeployId::of(build) };
        self.tell(format!("{}/live", site_id(site)), "token:alice", fact)
    }
}
