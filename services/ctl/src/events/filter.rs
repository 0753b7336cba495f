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
    pub(super) site: Option<String>,
    /// Only facts of this type: `build.finished`, or `build` for all of the kind; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only facts of one story
    #[arg(long)]
    correlation: Option<Uuid>,
}

impl Filter {
    pub(super) fn takes(&self, recorded: &Recorded) -> bool {
        let about = self.subject.as_deref().is_none_or(|wanted| {
            let (kind, id) = wanted.split_once('/').map_or((wanted, None), |(kind, id)| (kind, Some(id)));
            kind == recorded.event.aggregate() && id.is_none_or(|id| id == recorded.envelope.subject)
        });
        about
            && self.is_of_type(recorded)
            && self.correlation.is_none_or(|story| story == recorded.envelope.correlation)
    }

    fn is_of_type(&self, recorded: &Recorded) -> bool {
        let name = recorded.event.name();
        let is = |wanted: &String| {
            let rest = name.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.types.is_empty() || self.types.iter().any(is)
    }
}
