//! What the cache of a build is called: equal names, equal packages, and nobody among its writers whom its readers must not trust.

use crate::spec::Inputs;
use crate::terms;
use events::{Context, SiteId};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Files that say exactly which packages a site has.
const LOCKFILES: [&str; 7] = [
    "Gemfile.lock",
    "gems.locked",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
];
/// How much of each counts.
const LOCKFILE_MAX: u64 = 16 << 20;
/// Digits of a digest in a name: enough that two of one site never share them.
const DIGITS: usize = 32;

/// The cache of a site, for what it is shown as and by its lockfiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    site: SiteId,
    stem: String,
}

impl Name {
    /// Of a build that is about to run in a sandbox of this kind. Looks at the checkout, and follows no link. Blocks.
    pub(crate) fn of_build(site: SiteId, inputs: &Inputs, sandbox: &str) -> io::Result<Self> {
        let mut digest = Sha256::new();
        digest.update(format!("{} in {sandbox}\n", terms::engine(inputs.engine)));
        if let Some(folder) = inputs.workspace.folder_of(inputs.recipe.base_directory.as_ref())? {
            LOCKFILES.iter().try_for_each(|name| add(&mut digest, &folder, name))?;
        }
        let context = Context::of(&inputs.alias);
        let digits: String = hex::encode(digest.finalize()).chars().take(DIGITS).collect();
        Ok(Self { site, stem: format!("{context}-{digits}") })
    }

    /// The folder of the site's caches.
    pub(super) fn site(&self) -> String {
        self.site.to_string()
    }

    /// Without the build that has left it.
    pub(super) fn stem(&self) -> &str {
        &self.stem
    }

    /// The file that the build of this number leaves.
    pub(super) fn of(&self, number: u64) -> String {
        format!("{}-{number}.tar", self.stem)
    }
}

fn add(digest: &mut Sha256, folder: &Path, name: &str) -> io::Result<()> {
    let path = folder.join(name);
    let Some(found) = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file) else { return Ok(()) };
    digest.update(format!("{name} {}\n", found.len()));
    let mut content = Vec::new();
    File::open(path)?.take(LOCKFILE_MAX).read_to_end(&mut content)?;
    digest.update(&content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::Variables;
    use crate::workspace::Workspace;
    use events::{AliasName, Recipe, SiteEngine};
    use std::fs;

    fn inputs(workspace: &Workspace) -> Inputs {
        Inputs {
            build: "b".to_owned(),
            site: "docs".to_owned(),
            branch: "main".to_owned(),
            commit: "a".repeat(40),
            repository_url: "https://example.org/acme/docs".to_owned(),
            engine: SiteEngine::NodeJs,
            recipe: Recipe::default(),
            alias: AliasName::Live,
            workspace: workspace.clone(),
            variables: Variables::default(),
        }
    }

    #[test]
    fn a_cache_is_of_a_site_of_what_it_is_shown_as_and_of_its_lockfiles() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(folder.path().join("build")).unwrap();
        let site = workspace.site();
        fs::create_dir(site.join("docs")).unwrap();
        let id = SiteId(runtime::clock::new_id());
        let name = |inputs: Inputs| Name::of_build(id, &inputs, "docker").unwrap();
        let plain = name(inputs(&workspace));
        assert_eq!(plain, name(inputs(&workspace)));
        let preview = AliasName::Preview("fix".parse().unwrap());
        let recipe = Recipe { base_directory: Some("docs".parse().unwrap()), ..Recipe::default() };
        fs::write(site.join("docs/yarn.lock"), "left-pad 1").unwrap();
        let others = [
            name(Inputs { alias: preview, ..inputs(&workspace) }),
            name(Inputs { engine: SiteEngine::Hugo, ..inputs(&workspace) }),
            name(Inputs { recipe, ..inputs(&workspace) }),
            Name::of_build(id, &inputs(&workspace), "bubblewrap").unwrap(),
            Name::of_build(SiteId(runtime::clock::new_id()), &inputs(&workspace), "docker").unwrap(),
        ];
        assert!(others.iter().all(|other| *other != plain), "{others:?}");
        fs::write(site.join("package-lock.json"), "{}").unwrap();
        let locked = name(inputs(&workspace));
        fs::write(site.join("package-lock.json"), "{ }").unwrap();
        assert!(locked != plain && locked != name(inputs(&workspace)));
    }

    #[test]
    fn a_lockfile_that_is_a_link_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(folder.path().join("build")).unwrap();
        let id = SiteId(runtime::clock::new_id());
        let plain = Name::of_build(id, &inputs(&workspace), "docker").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", workspace.site().join("yarn.lock")).unwrap();
        assert_eq!(Name::of_build(id, &inputs(&workspace), "docker").unwrap(), plain);
    }
}
