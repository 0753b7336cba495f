//! Which facts are asked for.

use clap::Args;
use events::Recorded;
use uuid::Uuid;

/// Which facts.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// Only facts about one aggregate: `host/docs`, `build/<id>`, `alias/<site id>/live`, or a kind alone: `build`
    #[arg(long)]
    subject: Option<String>,
    /// Only facts of one site, by its name or its id
    #[arg(long)]
    pub site: Option<String>,
    /// Only facts of this type: `build.finished`, or `build` for all of the kind; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only facts of one story
    #[arg(long)]
    correlation: Option<Uuid>,
}

impl Filter {
    pub(super) fn takes(&self, recorded: &Recorded) -> bool {
        let Recorded { envelope, event, .. } = recorded;
        self.is_about(event.aggregate(), &envelope.subject)
            && self.is_of_type(&event.name())
            && self.is_of_story(envelope.correlation)
    }

    /// Whether a fact about this aggregate is asked for.
    #[must_use]
    pub fn is_about(&self, aggregate: &str, subject: &str) -> bool {
        self.subject.as_deref().is_none_or(|wanted| {
            let (kind, id) = wanted.split_once('/').map_or((wanted, None), |(kind, id)| (kind, Some(id)));
            kind == aggregate && id.is_none_or(|id| id == subject)
        })
    }

    /// Whether a fact of this story is.
    #[must_use]
    pub fn is_of_story(&self, correlation: Uuid) -> bool {
        self.correlation.is_none_or(|story| story == correlation)
    }

    /// Whether a fact that is called so is.
    #[must_use]
    pub fn is_of_type(&self, name: &str) -> bool {
        let is = |wanted: &String| {
            let rest = name.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.types.is_empty() || self.types.iter().any(is)
    }
}
