//! What to run for a build: a container's whole description, from the job and the limits alone.
//!
//! Nothing of the host's environment and no credential is in it. The repository's address stays outside: the checkout is
//! already there when the container starts.

use crate::gate;
use crate::lines::Lines;
use crate::mask::Mask;
use crate::terms;
use crate::variables::Variables;
use crate::workspace::Workspace;
use events::{AliasName, CommandLine, Context, Folder, Recipe, SiteEngine};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the checkout is inside the sandbox.
pub const SITE: &str = "/site";
/// Where the fresh home is inside the sandbox.
pub const HOME: &str = "/home/build";
/// Where what builds keep for later ones is inside the sandbox.
pub const CACHE: &str = "/cache";
/// The label that names the build a container belongs to.
pub const LABEL: &str = "dev.pagefold.build";
/// The label that names the launcher a container belongs to.
pub const LAUNCHER_LABEL: &str = "dev.pagefold.launcher";

const SCRIPT: &str = include_str!("build.sh");

/// What there is to build.
#[derive(Clone)]
pub struct Inputs {
    pub build: String,
    pub site: String,
    pub branch: String,
    pub commit: String,
    pub repository_url: String,
    /// Which it is, however that was found out.
    pub engine: SiteEngine,
    /// What of the source is built, and by what.
    pub recipe: Recipe,
    /// What its deploy is shown as.
    pub alias: AliasName,
    /// Where the commit is checked out.
    pub workspace: Workspace,
    /// What the site gives it.
    pub variables: Variables,
}

/// What one build may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Main memory, temporary files in memory included.
    pub memory_bytes: u64,
    /// Processes and threads at the same time.
    pub pids: u32,
    /// The longest file that may be written.
    pub file_bytes: u64,
    /// Temporary files: `/tmp` and `/dev/shm`, each.
    pub tmp_bytes: u64,
    /// Disk that the checkout, the home and the cache may take together.
    pub disk_bytes: u64,
    /// Files and folders in them together.
    pub disk_files: u64,
    /// Disk that the machine keeps for others: builds end when less is left.
    pub disk_reserve_bytes: u64,
    /// Share of the processors where they are wanted by more than there are; 100 is what everything else has.
    pub cpu_weight: u32,
    /// Time of processors, in thousandths of one; never more than the machine has.
    pub cpu_millis: u32,
    /// Share of the disk's time, as with `cpu_weight`; 0 leaves it to the class of the processes, which is the lowest.
    pub io_weight: u32,
    /// How far its processes stand back behind others: 0 to 19.
    pub nice: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            pids: 1024,
            file_bytes: 4 << 30,
            tmp_bytes: 512 << 20,
            disk_bytes: 10 << 30,
            disk_files: 2_000_000,
            disk_reserve_bytes: 1 << 30,
            cpu_weight: 20,
            cpu_millis: 2000,
            io_weight: 20,
            nice: 10,
        }
    }
}

/// A container to run, for any sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// The build it belongs to, for the label and for sweeping.
    pub build: String,
    /// Its name, derived from the build: a second attempt has the same.
    pub name: String,
    pub command: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// What the site gives it. Ours come before.
    pub variables: Variables,
    pub workspace: Workspace,
    pub limits: Limits,
    /// The folder of the socket that is its way to the network; none if it has no such way.
    pub gate: Option<PathBuf>,
}

impl ContainerSpec {
    /// The same with a way to the network, whose socket is in `folder`.
    pub fn through(mut self, folder: PathBuf) -> Self {
        let (port, socket) = (gate::PORT.to_string(), format!("{}/{}", gate::FOLDER, gate::SOCKET));
        let relay = ["sh", "-c", gate::ENTRANCE, "gate", gate::RELAY, &port, &socket].map(str::to_owned);
        self.command.splice(0..0, relay);
        let proxy = format!("http://127.0.0.1:{port}");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            self.env.insert(name.to_owned(), proxy.clone());
        }
        for name in ["NO_PROXY", "no_proxy"] {
            self.env.insert(name.to_owned(), "localhost,127.0.0.1,::1".to_owned());
        }
        // Node.js itself asks for a proxy only if it is told to.
        self.env.insert("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned());
        self.gate = Some(folder);
        self
    }

    /// What it prints becomes lines in which nobody sees what the site gave it.
    pub(crate) fn lines(&self) -> Lines {
        Lines::masked(Mask::of(&self.variables))
    }
}

/// Describes the container of `build`.
pub fn specify(build: &Inputs, limits: &Limits) -> ContainerSpec {
    let Recipe { base_directory, command, output_directory, .. } = &build.recipe;
    let folder = |folder: &Option<Folder>| folder.as_ref().map(ToString::to_string).unwrap_or_default();
    let (base, pages) = (folder(base_directory), folder(output_directory));
    let command = command.as_ref().map(CommandLine::as_str).unwrap_or_default();
    let command = ["sh", "-eu", "-c", SCRIPT, "build", terms::engine(build.engine), &base, &pages, command];
    ContainerSpec {
        build: build.build.clone(),
        name: container_name(&build.build),
        command: command.map(str::to_owned).to_vec(),
        env: environment(build),
        variables: build.variables.clone(),
        workspace: build.workspace.clone(),
        limits: limits.clone(),
        gate: None,
    }
}

/// The name of the container of `build`; characters that container engines refuse become hyphens.
pub fn container_name(build: &str) -> String {
    let kept = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    format!("pagefold-build-{}", build.chars().map(kept).collect::<String>())
}

fn environment(build: &Inputs) -> BTreeMap<String, String> {
    let (owner, repository) = owner_and_repository(&build.repository_url);
    let of_site = [
        ("BRANCH", build.branch.as_str()),
        ("COMMIT", build.commit.as_str()),
        ("OWNER", owner),
        ("REPOSITORY", repository),
        ("SITE", build.site.as_str()),
        // Every alias has a host of its own, so a site is always served from the root of one.
        ("BASEURL", ""),
        ("SITE_PREFIX", ""),
    ];
    let names: Vec<&str> = of_site.iter().map(|(name, _)| *name).chain(build.variables.names()).collect();
    let names = names.join(" ");
    let context = Context::of(&build.alias).to_string();
    let of_sandbox = [
        ("SITE_VARIABLES", names.as_str()),
        ("CI", "true"),
        ("LANG", "C.UTF-8"),
        ("HOME", HOME),
        ("PAGEFOLD", "true"),
        ("PAGEFOLD_BUILD", build.build.as_str()),
        ("PAGEFOLD_CACHE", CACHE),
        ("PAGEFOLD_CONTEXT", &context),
    ];
    let all = of_site.into_iter().chain(of_sandbox);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The last two segments of a repository's path, as `https://host/owner/name.git`, `git@host:owner/name` or a folder has.
/// What is not there is empty; a user name or password before the host never gets in.
fn owner_and_repository(url: &str) -> (&str, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None if url.starts_with('/') => url,
        None => url.split_once(':').map_or(url, |(_, path)| path),
    };
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (owners, repository) = path.rsplit_once('/').unwrap_or(("", path));
    (owners.rsplit('/').next().unwrap_or_default(), repository)
}

#[cfg(test)]
mod tests {
    use super::{Inputs, Limits, container_name, owner_and_repository, specify};
    use crate::variables::Variables;
    use crate::workspace::Workspace;
    use events::{AliasName, Recipe, SiteEngine};

    fn job(engine: SiteEngine) -> Inputs {
        Inputs {
            build: "0192/x".to_owned(),
            site: "docs".to_owned(),
            branch: "main".to_owned(),
            commit: "a".repeat(40),
            repository_url: "https://token:secret@example.org/acme/docs.git".to_owned(),
            engine,
            recipe: Recipe::default(),
            alias: AliasName::Live,
            workspace: Workspace::at("/var/lib/pagefold/build"),
            variables: Variables::default(),
        }
    }

    #[test]
    fn the_environment_is_what_a_site_may_know_and_no_more() {
        let spec = specify(&job(SiteEngine::Static), &Limits::default());
        let env: Vec<_> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let commit = format!("COMMIT={}", "a".repeat(40));
        let expected = [
            "BASEURL=",
            "BRANCH=main",
            "CI=true",
            &commit,
            "HOME=/home/build",
            "LANG=C.UTF-8",
            "OWNER=acme",
            "PAGEFOLD=true",
            "PAGEFOLD_BUILD=0192/x",
            "PAGEFOLD_CACHE=/cache",
            "PAGEFOLD_CONTEXT=live",
            "REPOSITORY=docs",
            "SITE=docs",
            "SITE_PREFIX=",
            "SITE_VARIABLES=BRANCH COMMIT OWNER REPOSITORY SITE BASEURL SITE_PREFIX",
        ];
        assert_eq!(env, expected);
    }

    #[test]
    fn no_credential_of_the_repository_is_in_the_description() {
        let spec = format!("{:?}", specify(&job(SiteEngine::Hugo), &Limits::default()));
        assert!(!spec.contains("secret") && !spec.contains("token:"));
    }

    #[test]
    fn the_script_is_told_the_engine_and_the_recipe() {
        let told = |inputs: &Inputs| specify(inputs, &Limits::default()).command[5..].to_vec();
        assert_eq!(told(&job(SiteEngine::Jekyll)), ["jekyll", "", "", ""]);
        let recipe = Recipe {
            base_directory: Some("docs".parse().unwrap()),
            command: Some("make it".parse().unwrap()),
            output_directory: Some("dist/html".parse().unwrap()),
            ..Recipe::default()
        };
        assert_eq!(told(&Inputs { recipe, ..job(SiteEngine::NodeJs) }), ["node.js", "docs", "dist/html", "make it"]);
    }

    #[test]
    fn a_name_has_only_what_container_engines_accept() {
        assert_eq!(container_name("0192/x y"), "pagefold-build-0192-x-y");
    }

    #[test]
    fn owner_and_repository_are_the_last_two_segments() {
        for (url, owner, repository) in [
            ("https://example.org/acme/docs", "acme", "docs"),
            ("https://example.org/acme/docs.git/", "acme", "docs"),
            ("https://user:pass@example.org/group/acme/docs.git", "acme", "docs"),
            ("ssh://git@example.org:2222/acme/docs.git", "acme", "docs"),
            ("git@example.org:acme/docs.git", "acme", "docs"),
            ("git@example.org:docs.git", "", "docs"),
            ("/srv/git/acme/docs.git", "acme", "docs"),
            ("file:///srv/git/acme/docs", "acme", "docs"),
            ("https://example.org/acme/docs.git?x=/y/z", "acme", "docs"),
            ("https://user:pass@example.org", "", ""),
        ] {
            assert_eq!(owner_and_repository(url), (owner, repository), "{url}");
        }
    }
}
