//! What a caller wants a site to be: read once, for its creation, for a change, and from a form.

pub(crate) mod access;

use crate::place::Owner;
use crate::problem::Problem;
use crate::repositories::Template;
use events::access::Hosts;
use events::building::{GLOBS_MAX, KEEP_DAYS_MAX, KEEP_DEPLOYS_MAX, Keeping, PREVIEW_DAYS_MAX, SCHEDULES_MAX};
use events::event::{HtmlHandling, NotFoundHandling, RulesDialect, Serving};
use events::{
    Branch, Building, CancelRunning, CommandLine, Folder, Glob, Network, PullRequests, Recipe, RepositoryUrl, Schedule,
    SiteEngine, SiteId, SiteName, SiteSettings, Size,
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use std::num::NonZeroU16;
use utoipa::ToSchema;

/// The live branch where none is named.
const BRANCH: &str = "main";
/// More than anything that is counted here.
const MANY: f64 = 4_294_967_295.0;

/// Fields of a site, as a JSON merge patch (RFC 7396): what is absent stays or gets its default, `null` asks for
/// the default where there is one.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Starts with a letter, then letters, digits and single hyphens, all lower case, at most 30 characters.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>, example = "docs")]
    pub(crate) name: Option<SiteName>,
    /// Who owns it, by name or id, given at its creation; `default` if absent. A name that nobody has is given to a new one.
    #[schema(value_type = Option<String>)]
    pub(crate) organization: Option<Owner>,
    /// Instead of a repository: what the site begins with, in a repository that is kept here. It says which engine, too.
    #[schema(value_type = Option<Template>)]
    pub(crate) template: Option<Template>,
    /// Where its source is fetched from, without credentials.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>, example = "https://github.com/acme/docs.git")]
    pub(crate) repository: Option<RepositoryUrl>,
    /// The branch published as `live`; `main` by default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) branch: Option<Option<Branch>>,
    /// The branch published as `demo`; none by default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) demo_branch: Option<Option<Branch>>,
    /// How its source becomes pages: `static` (the default), `node.js`, `hugo`, `jekyll`, or `auto` for what its files speak for.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) engine: Option<Option<SiteEngine>>,
    /// Which builds that run are ended by a newer push of their branch: those of `previews` (the default), `all` or `none`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) cancel_running: Option<Option<CancelRunning>>,
    /// The folder of the repository that is the site, at most 200 bytes; the repository itself by default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "docs")]
    pub(crate) base_directory: Option<Option<Folder>>,
    /// What `sh` runs in that folder, at most 1,000 bytes; by default what the engine runs.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "npm run docs")]
    pub(crate) command: Option<Option<CommandLine>>,
    /// Where its pages are then, seen from that folder; `_site` by default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "dist")]
    pub(crate) output_directory: Option<Option<Folder>>,
    /// What a build may take: `standard` (the default), or `large` for more main memory.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) size: Option<Option<Size>>,
    /// What it may reach: `none`, `registries` of packages (the default), or `full` for any public host.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) network: Option<Option<Network>>,
    /// Globs, at most 20, of which a push must have changed one to be built; by default anything below the base directory.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["docs/**"]))]
    pub(crate) watch: Option<Option<Vec<Glob>>>,
    /// Globs, at most 20, of branches of which no push is built; the live and the demo branch always are.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["dependabot/**"]))]
    pub(crate) ignore_branches: Option<Option<Vec<Glob>>>,
    /// When branches are built without a push, at most 10.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<NewSchedule>>)]
    pub(crate) schedules: Option<Option<Vec<Schedule>>>,
    /// For how many days a preview is shown after its newest build, 1 to 3650; by default as long as its branch is there.
    #[serde(default, deserialize_with = "days")]
    #[schema(value_type = Option<u16>)]
    pub(crate) preview_days: Option<Option<NonZeroU16>>,
    /// How many of its newest deploys are kept, 1 to 10000; 100 by default. What is shown always is.
    #[serde(default, deserialize_with = "keep_deploys")]
    #[schema(value_type = Option<u16>)]
    pub(crate) keep_deploys: Option<Option<NonZeroU16>>,
    /// For how many days each deploy is kept, however many there are: 0, the default, to 3650.
    #[serde(default, deserialize_with = "keep_days")]
    #[schema(value_type = Option<u16>)]
    pub(crate) keep_days: Option<Option<u16>>,
    /// Which pull requests are built: `approved` (the default: one from a fork when a member has approved it), `all` or `none`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) pull_requests: Option<Option<PullRequests>>,
    /// Which addresses its pages have: `auto-trailing-slash` (the default), `force-trailing-slash`, `drop-trailing-slash`
    /// or `none`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) html_handling: Option<Option<HtmlHandling>>,
    /// What answers where there is no file: `404-page` (the nearest one upwards, the default), `single-page-application` or
    /// `none`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) not_found_handling: Option<Option<NotFoundHandling>>,
    /// By whose grammar `_redirects` and `_headers` are read from the next build on: `netlify` (the default) or `cloudflare`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(crate) rules_dialect: Option<Option<RulesDialect>>,
    /// Whom it lets in; everybody by default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<access::Wanted>)]
    pub(crate) access: Option<Option<access::Wanted>>,
}

/// When a branch is built without a push.
#[derive(ToSchema)]
#[schema(as = NewSchedule)]
#[expect(dead_code, reason = "it is the schema of what events reads")]
pub(crate) struct NewSchedule {
    /// The branch, at its tip of that moment.
    branch: String,
    /// A line of cron of five fields, or `@daily` and the like; at most 100 bytes.
    #[schema(example = "0 6 * * *")]
    cron: String,
    /// The clock that is meant, by its name in the IANA database; `UTC` by default.
    #[schema(example = "Europe/London")]
    time_zone: Option<String>,
}

/// Tells `null` from a field that is absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A number of days that previews are shown for.
fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<NonZeroU16>>, D::Error> {
    let Some(days) = whole_or_none(deserializer)? else { return Ok(Some(None)) };
    let within = u16::try_from(days).ok().filter(|days| *days <= PREVIEW_DAYS_MAX).and_then(NonZeroU16::new);
    let wrong = || serde::de::Error::custom(format!("`preview_days` is 1 to {PREVIEW_DAYS_MAX}"));
    within.map(|days| Some(Some(days))).ok_or_else(wrong)
}

/// A number of deploys that are kept.
fn keep_deploys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<NonZeroU16>>, D::Error> {
    let Some(deploys) = whole_or_none(deserializer)? else { return Ok(Some(None)) };
    let within = u16::try_from(deploys).ok().filter(|deploys| *deploys <= KEEP_DEPLOYS_MAX).and_then(NonZeroU16::new);
    let wrong = || serde::de::Error::custom(format!("`keep_deploys` is 1 to {KEEP_DEPLOYS_MAX}"));
    within.map(|deploys| Some(Some(deploys))).ok_or_else(wrong)
}

/// A number of days that deploys are kept for.
fn keep_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u16>>, D::Error> {
    let Some(days) = whole_or_none(deserializer)? else { return Ok(Some(None)) };
    let within = u16::try_from(days).ok().filter(|days| *days <= KEEP_DAYS_MAX);
    let wrong = || serde::de::Error::custom(format!("`keep_days` is 0 to {KEEP_DAYS_MAX}"));
    within.map(|days| Some(Some(days))).ok_or_else(wrong)
}

/// A field that has no default, so that `null` is refused.
pub(crate) fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A whole number, which JSON may write with a point and zeros behind it.
pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    let number = f64::deserialize(deserializer)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was looked at")]
    let whole = (number.fract() == 0.0 && (0.0..=MANY).contains(&number)).then_some(number as u64);
    let wrong = || serde::de::Error::custom("a whole number is needed, and not so large a one");
    whole.and_then(|whole| T::try_from(whole).ok()).ok_or_else(wrong)
}

/// The same where none may be given.
pub(crate) fn whole_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    struct Whole(#[serde(deserialize_with = "whole")] u32);
    Ok(Option::<Whole>::deserialize(deserializer)?.map(|Whole(number)| number))
}

/// A field that must be given is not.
pub(crate) fn missing(field: &str) -> Problem {
    Problem::InvalidInput(format!("`{field}` is missing"))
}

impl Wanted {
    /// The name of a new site.
    pub(crate) fn new_name(&self) -> Result<SiteName, Problem> {
        self.name.clone().ok_or_else(|| missing("name"))
    }

    /// The settings of a new site.
    pub(crate) fn new_settings(&self) -> Result<SiteSettings, Problem> {
        let repository = self.repository.clone().ok_or_else(|| missing("repository"))?;
        if repository.own_site().is_some() {
            return Err(Problem::InvalidInput("`template` makes a repository that is kept here".to_owned()));
        }
        let (branch, demo_branch, engine) = (BRANCH.parse()?, None, SiteEngine::Static);
        self.onto(SiteSettings {
            repository,
            branch,
            demo_branch,
            engine,
            building: Building::default(),
            serving: Serving::default(),
        })
    }

    /// The settings of a new site that begins from `template`.
    pub(crate) fn of_template(&self, template: Template, site: SiteId) -> Result<SiteSettings, Problem> {
        if self.repository.is_some()
            || self.engine.is_some_and(|engine| engine.is_some_and(|engine| engine != template.engine()))
        {
            return Err(Problem::InvalidInput("`template` says what `repository` and `engine` are".to_owned()));
        }
        if self.branch.as_ref().is_some_and(|branch| branch.as_ref().is_some_and(|branch| branch.as_str() != BRANCH)) {
            return Err(Problem::InvalidInput(format!("a site from a template begins on `{BRANCH}`")));
        }
        let demo_branch = self.demo_branch.clone().flatten();
        let repository = RepositoryUrl::own(site);
        let building = self.building(Building::default())?;
        let (serving, engine) = (self.serving(Serving::default())?, template.engine());
        Ok(SiteSettings { repository, branch: BRANCH.parse()?, demo_branch, engine, building, serving })
    }

    /// The settings of a site that has `present` ones.
    pub(crate) fn onto(&self, present: SiteSettings) -> Result<SiteSettings, Problem> {
        let branch = match self.branch.clone() {
            Some(branch) => branch.map_or_else(|| BRANCH.parse(), Ok)?,
            None => present.branch,
        };
        Ok(SiteSettings {
            repository: self.repository.clone().unwrap_or(present.repository),
            branch,
            demo_branch: self.demo_branch.clone().unwrap_or(present.demo_branch),
            engine: self.engine.map_or(present.engine, |engine| engine.unwrap_or(SiteEngine::Static)),
            building: self.building(present.building)?,
            serving: self.serving(present.serving)?,
        })
    }

    /// The passwords that closed hosts shall open by.
    pub(crate) fn passwords(&self) -> Vec<(Hosts, SecretString)> {
        self.access.iter().flatten().flat_map(access::Wanted::passwords).collect()
    }

    fn building(&self, present: Building) -> Result<Building, Problem> {
        let Recipe { base_directory, command, output_directory, size, network } = present.recipe;
        let usual = Keeping::default();
        Ok(Building {
            cancel_running: wanted(self.cancel_running.as_ref(), present.cancel_running),
            recipe: Recipe {
                base_directory: self.base_directory.clone().unwrap_or(base_directory),
                command: self.command.clone().unwrap_or(command),
                output_directory: self.output_directory.clone().unwrap_or(output_directory),
                size: wanted(self.size.as_ref(), size),
                network: wanted(self.network.as_ref(), network),
            },
            watch: few(wanted(self.watch.as_ref(), present.watch), "watch", GLOBS_MAX)?,
            ignore_branches: few(
                wanted(self.ignore_branches.as_ref(), present.ignore_branches),
                "ignore_branches",
                GLOBS_MAX,
            )?,
            preview_days: self.preview_days.unwrap_or(present.preview_days),
            keeping: Keeping {
                deploys: self.keep_deploys.map_or(present.keeping.deploys, |deploys| deploys.unwrap_or(usual.deploys)),
                days: self.keep_days.map_or(present.keeping.days, |days| days.unwrap_or(usual.days)),
            },
            pull_requests: wanted(self.pull_requests.as_ref(), present.pull_requests),
            schedules: few(wanted(self.schedules.as_ref(), present.schedules), "schedules", SCHEDULES_MAX)?,
        })
    }

    fn serving(&self, present: Serving) -> Result<Serving, Problem> {
        Ok(Serving {
            html_handling: wanted(self.html_handling.as_ref(), present.html_handling),
            not_found_handling: wanted(self.not_found_handling.as_ref(), present.not_found_handling),
            rules_dialect: wanted(self.rules_dialect.as_ref(), present.rules_dialect),
            access: match &self.access {
                Some(access) => access.clone().unwrap_or_else(access::Wanted::open).onto(present.access)?,
                None => present.access,
            },
        })
    }
}

/// A list that is not too long.
fn few<T>(list: Vec<T>, field: &str, max: usize) -> Result<Vec<T>, Problem> {
    let is_long = list.len() > max;
    if is_long { Err(Problem::InvalidInput(format!("`{field}` has more than {max} entries"))) } else { Ok(list) }
}

/// What is asked for, the default for `null`, or what is there.
fn wanted<T: Clone + Default>(asked: Option<&Option<T>>, present: T) -> T {
    asked.map_or(present, |asked| asked.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(body: serde_json::Value) -> Result<Wanted, String> {
        serde_json::from_value(body).map_err(|error| error.to_string())
    }

    #[test]
    fn a_new_site_has_defaults_and_needs_a_repository() {
        let new = wanted(json!({ "name": "docs", "repository": "https://git.test/a/b" })).unwrap();
        let settings = new.new_settings().unwrap();
        assert_eq!(
            (settings.branch.as_str(), settings.demo_branch, settings.engine),
            ("main", None, SiteEngine::Static)
        );
        assert!(wanted(json!({ "name": "docs" })).unwrap().new_settings().is_err());
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_asks_for_the_default() {
        let present = json!({ "repository": "/srv/a", "branch": "trunk", "demo_branch": "next", "engine": "hugo" });
        let present = wanted(present).unwrap().new_settings().unwrap();
        let corrected = wanted(json!({ "repository": "/srv/b" })).unwrap().onto(present.clone()).unwrap();
        assert_eq!(corrected, SiteSettings { repository: "/srv/b".parse().unwrap(), ..present.clone() });
        let reset = json!({ "branch": null, "demo_branch": null, "engine": null });
        let reset = wanted(reset).unwrap().onto(present).unwrap();
        assert_eq!((reset.branch.as_str(), reset.demo_branch, reset.engine), ("main", None, SiteEngine::Static));
    }

    #[test]
    fn a_name_and_a_repository_have_no_default_to_go_back_to() {
        for body in [json!({ "name": null }), json!({ "repository": null })] {
            assert!(wanted(body.clone()).unwrap_err().contains("null"), "{body}");
        }
    }

    #[test]
    fn how_it_is_built_is_patched_field_by_field() {
        let of = |body| wanted(body).unwrap();
        let new = of(json!({ "repository": "/srv/a", "cancel_running": "all" })).new_settings().unwrap();
        assert_eq!(new.building.cancel_running, CancelRunning::All);
        let kept = of(json!({ "engine": "hugo" })).onto(new.clone()).unwrap();
        assert_eq!(kept.building, new.building);
        let reset = of(json!({ "cancel_running": null })).onto(new).unwrap();
        assert!(reset.building.is_default());
        let monorepo = json!({ "base_directory": "docs/", "command": "make", "watch": ["docs/**"],
            "schedules": [{ "branch": "main", "cron": "@daily" }] });
        let monorepo = of(monorepo).onto(kept).unwrap();
        let told = [
            "a newer push ends what runs: all",
            "the site is in `docs`",
            "built by `make`",
            "built when `docs/**` is changed",
            "`main` is built at `@daily` (UTC)",
        ];
        assert_eq!(monorepo.building.told(), told);
        let reset = of(json!({ "base_directory": null, "command": null, "watch": null, "schedules": [],
            "cancel_running": null }));
        assert!(reset.onto(monorepo).unwrap().building.is_default());
    }

    #[test]
    fn what_is_built_is_bounded() {
        let many = |field: &str, entry: serde_json::Value, count| {
            let body = json!({ "repository": "/srv/a", field: vec![entry; count] });
            wanted(body).unwrap().new_settings().map_err(|problem| problem.to_string())
        };
        for (field, entry, max) in [
            ("watch", json!("a"), 20),
            ("ignore_branches", json!("a"), 20),
            ("schedules", json!({ "branch": "main", "cron": "@daily" }), 10),
        ] {
            assert!(many(field, entry.clone(), max).is_ok());
            assert!(many(field, entry, max + 1).unwrap_err().contains(field), "{field}");
        }
        for body in [
            json!({ "base_directory": "../x" }),
            json!({ "watch": ["/x"] }),
            json!({ "command": "" }),
            json!({ "keep_deploys": 0 }),
            json!({ "keep_deploys": 10001 }),
            json!({ "keep_days": -1 }),
            json!({ "preview_days": 0 }),
            json!({ "preview_days": 3651 }),
            json!({ "schedules": [{ "branch": "main", "cron": "61 * * * *" }] }),
        ] {
            assert!(wanted(body.clone()).is_err(), "{body}");
        }
    }

    #[test]
    fn how_it_answers_is_patched_field_by_field() {
        let of = |body| wanted(body).unwrap();
        let asked =
            json!({ "repository": "/srv/a", "html_handling": "none", "not_found_handling": "single-page-application" });
        let new = of(asked).new_settings().unwrap();
        let spa = NotFoundHandling::SinglePageApplication;
        assert_eq!((new.serving.html_handling, new.serving.not_found_handling), (HtmlHandling::None, spa));
        let kept = of(json!({ "html_handling": null, "rules_dialect": "cloudflare" })).onto(new.clone()).unwrap();
        let dialect = RulesDialect::Cloudflare;
        let expected = Serving { not_found_handling: spa, rules_dialect: dialect, ..Serving::default() };
        assert_eq!(kept.serving, expected);
    }

    #[test]
    fn an_unknown_field_is_named() {
        assert!(wanted(json!({ "colour": "red" })).unwrap_err().contains("colour"));
    }
}
