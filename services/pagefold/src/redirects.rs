//! `pagefold redirects check`: what of a site's addresses would be answered otherwise, before anybody asks.

use crate::deploy::Local;
use answers::{Answer, Decided};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use ctl::print::say;
use events::event::{HtmlHandling, NotFoundHandling, RulesDialect, Serving};
use events::{BuildId, DeployId, SiteId};
use rules::{Asked, Matcher, REDIRECTS};
use std::fs;
use std::path::{Path, PathBuf};
use storage::folder::Listed;
use storage::{Head, Manifest, SiteFile, Uploaded, content_type};
use uuid::Uuid;

/// What to do with redirects.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List every address of a file whose answer changes from one version of a site to another
    Check(Check),
}

/// Two versions of a site, and addresses.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// What is there: the folder of the site as it was built, or its file `_redirects` alone
    before: PathBuf,
    /// What will be there
    after: PathBuf,
    /// File of addresses, one in each line: paths, or whole addresses; lines that begin with # are passed over
    #[arg(long, value_name = "FILE")]
    paths: PathBuf,
    /// By whose grammar the rules are read: netlify or cloudflare
    #[arg(long, default_value_t)]
    rules_dialect: RulesDialect,
    /// How pages have addresses, as the site has it set
    #[arg(long, default_value_t)]
    html_handling: HtmlHandling,
    /// What answers where there is no file, as the site has it set
    #[arg(long, default_value_t)]
    not_found_handling: NotFoundHandling,
}

/// One version of a site.
struct Version {
    manifest: Manifest,
    rules: Option<Matcher>,
    serving: Serving,
}

pub(crate) fn run(command: Command) -> Result<()> {
    let Command::Check(check) = command;
    let (before, after) = (check.version(&check.before)?, check.version(&check.after)?);
    let paths = fs::read_to_string(&check.paths).with_context(|| format!("cannot read `{}`", check.paths.display()))?;
    let (mut asked, mut changed) = (0, 0);
    for address in paths.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (was, will) = (before.answers(address)?, after.answers(address)?);
        asked += 1;
        if was != will {
            changed += 1;
            say(&format!("{address}  {was} -> {will}"))?;
        }
    }
    say(&format!("{changed} of {asked} addresses are answered otherwise"))
}

impl Check {
    fn version(&self, place: &Path) -> Result<Version> {
        let told = || format!("cannot read `{}`", place.display());
        let (files, redirects) = if place.is_dir() {
            let redirects = place.join(REDIRECTS);
            (Local::read(place)?.into_files(), redirects.is_file().then_some(redirects))
        } else {
            (Vec::new(), Some(place.to_owned()))
        };
        let redirects = redirects.map(fs::read).transpose().with_context(told)?;
        let rules = rules::read(self.rules_dialect, redirects.as_deref(), None);
        let (html_handling, not_found_handling) = (self.html_handling, self.not_found_handling);
        let serving = Serving { html_handling, not_found_handling, ..Serving::default() };
        Ok(Version { manifest: manifest(files), rules: rules.as_ref().map(Matcher::new), serving })
    }
}

impl Version {
    /// What a reader is told, in a word or two.
    fn answers(&self, address: &str) -> Result<String> {
        let uri: http::Uri = address.parse().with_context(|| format!("`{address}` is no address"))?;
        let asked =
            Asked { host: uri.host().unwrap_or_default(), path: uri.path(), query: uri.query(), ..Asked::default() };
        let Decided { answer, .. } = answers::answer(&self.manifest, self.rules.as_ref(), self.serving, &asked);
        let status = answer.status();
        Ok(match answer {
            Answer::File(file) | Answer::As(file, _) | Answer::NotFound(Some(file)) => {
                format!("{status} {}", file.path)
            }
            Answer::Led { location, .. } => format!("{status} {location}"),
            Answer::Redirect(path) => format!("{status} {}", answers::with_query(&path, uri.query())),
            Answer::NotFound(None) | Answer::Malformed | Answer::TooLong => status.to_string(),
        })
    }
}

fn manifest(files: Vec<Listed>) -> Manifest {
    let (build, site) = (BuildId(Uuid::nil()), SiteId(Uuid::nil()));
    let head = Head { deploy: DeployId::of(build), site, build, uploaded: Uploaded::default() };
    let of = |Listed { path, digest, size }| {
        let content_type = content_type::of(&path).into();
        SiteFile { path, digest, size, content_type, pack: digest, offset: 0 }
    };
    Manifest::new(head, files.into_iter().filter(|file| file.path != REDIRECTS && file.path != rules::HEADERS).map(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &Path, after: &Path) -> Check {
        let (html_handling, not_found_handling) = (HtmlHandling::default(), NotFoundHandling::default());
        let rules_dialect = RulesDialect::default();
        let (before, after, paths) = (before.to_owned(), after.to_owned(), PathBuf::new());
        Check { before, after, paths, rules_dialect, html_handling, not_found_handling }
    }

    #[test]
    fn a_version_is_a_built_site_or_its_rules_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        for (place, files) in [
            (&old, [("index.html", "home"), ("about.html", "about"), (REDIRECTS, "/team /about 301\n")]),
            (&new, [("index.html", "home"), ("404.html", "none"), (REDIRECTS, "/team https://example.org/:splat\n")]),
        ] {
            fs::create_dir(place).unwrap();
            files.iter().for_each(|(name, text)| fs::write(place.join(name), text).unwrap());
        }
        let told = |place: &Path, address| check(place, place).version(place).unwrap().answers(address).unwrap();
        for (address, was, will) in [
            ("/", "200 index.html", "200 index.html"),
            ("https://docs.example/about?x=1", "200 about.html", "404 404.html"),
            ("/about/?x=1", "307 /about?x=1", "404 404.html"),
            ("/_redirects", "404", "404 404.html"),
        ] {
            assert_eq!((told(&old, address).as_str(), told(&new, address).as_str()), (was, will), "{address}");
        }
        let alone = old.join(REDIRECTS);
        assert_eq!((told(&alone, "/team").as_str(), told(&alone, "/about").as_str()), ("301 /about", "404"));
        assert!(check(&old, &new).version(&old).unwrap().answers("not an address").is_err());
    }
}
