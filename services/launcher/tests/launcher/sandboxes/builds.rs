//! The script of every build, for each kind of site.

use super::place::{Place, run, sandboxes};
use events::{AliasName, Recipe, SiteEngine};
use launcher::sandbox::{Exit, Sandbox};
use launcher::spec::{Inputs, Limits, specify};
use std::fs;
use std::path::Path;

pub(super) async fn build(sandbox: &Sandbox, kind: SiteEngine, files: &[(&str, &str)]) -> (Exit, String, Place) {
    build_by(sandbox, kind, Recipe::default(), files).await
}

async fn build_by(
    sandbox: &Sandbox,
    kind: SiteEngine,
    recipe: Recipe,
    files: &[(&str, &str)],
) -> (Exit, String, Place) {
    let place = Place::new();
    for (path, content) in files {
        let path = place.workspace().site().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let job = Inputs {
        build: place.id.clone(),
        site: "docs".to_owned(),
        branch: "main".to_owned(),
        commit: "c".repeat(40),
        repository_url: "https://example.org/acme/docs.git".to_owned(),
        engine: kind,
        recipe,
        alias: AliasName::Live,
        workspace: place.workspace(),
        variables: Default::default(),
    };
    let (exit, lines) = run(sandbox, &specify(&job, &Limits::default())).await;
    (exit, lines.join("\n"), place)
}

pub(super) fn read(place: &Place, path: &str) -> Option<String> {
    fs::read_to_string(place.workspace().site().join("_site").join(Path::new(path))).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn static_files_become_the_output_without_git() {
    for sandbox in sandboxes().await {
        let files =
            [("index.html", "hi"), ("a/b.css", "b"), (".git/HEAD", "x"), (".well-known/x", "w"), ("-x y", "odd")];
        let (exit, said, place) = build(&sandbox, SiteEngine::Static, &files).await;
        assert_eq!(exit, Exit::Code(0), "{said}");
        assert_eq!(said, "[build] static files\n[build] done", "{}", sandbox.name());
        for (path, content) in [files[0], files[1], files[3], files[4]] {
            assert_eq!(read(&place, path).as_deref(), Some(content), "{path}");
        }
        assert!(!place.workspace().site().join("_site/.git").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_runs_for_every_engine_with_what_a_site_may_know() {
    let package = r#"{"scripts": {
        "federalist": "exit 9",
        "pages": "mkdir _site && echo $OWNER/$REPOSITORY@$BRANCH > _site/index.html && env | grep -c SECRET || true"}}"#;
    for sandbox in sandboxes().await {
        for kind in [SiteEngine::Static, SiteEngine::NodeJs] {
            let (exit, said, place) = build(&sandbox, kind, &[("package.json", package), ("x", "y")]).await;
            assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
            assert!(said.starts_with("[build] npm run pages\n"), "{said}");
            assert!(!said.contains("npm ci"), "{said}");
            assert_eq!(read(&place, "index.html").as_deref(), Some("acme/docs@main\n"));
            assert_eq!(read(&place, "x"), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_installed_from_the_lockfile_without_the_site_s_variables() {
    let package = r#"{"name": "x", "version": "1.0.0", "scripts": {
        "preinstall": "env | cut -d= -f1 | sort > variables",
        "federalist": "mkdir _site && mv variables _site/"}}"#;
    let lock = r#"{"name": "x", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {"": {"name": "x", "version": "1.0.0"}}}"#;
    let files = [("package.json", package), ("package-lock.json", lock)];
    for sandbox in sandboxes().await {
        let (exit, said, place) = build(&sandbox, SiteEngine::NodeJs, &files).await;
        assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
        assert!(said.contains("[build] npm ci\n") && said.contains("[build] npm run federalist\n"), "{said}");
        let variables = read(&place, "variables").unwrap();
        assert!(variables.contains("HOME"), "{variables}");
        assert!(!variables.contains("BRANCH") && !variables.contains("OWNER"), "{variables}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_named_build_is_run_for_a_site_of_node_alone() {
    let package = r#"{"scripts": {"build": "mkdir _site && echo built > _site/index.html"}}"#;
    let files = [("package.json", package), ("index.html", "as it is")];
    for sandbox in sandboxes().await {
        for (engine, index) in [(SiteEngine::NodeJs, "built\n"), (SiteEngine::Static, "as it is")] {
            let (exit, said, place) = build(&sandbox, engine, &files).await;
            assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
            assert_eq!(read(&place, "index.html").as_deref(), Some(index), "{}", sandbox.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_say_what_is_wrong() {
    type Case<'a> = (SiteEngine, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 5] = [
        (SiteEngine::NodeJs, &[("index.html", "x")], "[build] nothing to run: there is no package.json"),
        (
            SiteEngine::NodeJs,
            &[("package.json", r#"{"scripts":{"start":"x"}}"#)],
            "[build] package.json has no script named pages, federalist or build",
        ),
        (SiteEngine::NodeJs, &[("package.json", "{")], "[build] package.json cannot be read"),
        (SiteEngine::NodeJs, &[("package.json", r#"{"scripts":{"pages":"true"}}"#)], "[build] the build left no _site"),
        (SiteEngine::Static, &[("package.json", r#"{"scripts":{"pages":"exit 5"}}"#)], "[build] npm run pages failed"),
    ];
    for sandbox in sandboxes().await {
        for (kind, files, message) in cases {
            let (exit, said, _place) = build(&sandbox, kind, files).await;
            assert!(matches!(exit, Exit::Code(code) if code != 0), "{}: {said}", sandbox.name());
            assert!(said.contains(message), "{}: {said}", sandbox.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hugo_builds_into_the_output() {
    let files = [
        ("config.toml", "baseURL = 'https://configured.example/'\ntitle = 'T'\ndisableKinds = ['taxonomy', 'term']\n"),
        ("layouts/index.html", "<p>{{ .Site.BaseURL }}</p>"),
    ];
    for sandbox in sandboxes().await {
        let (exit, said, place) = build(&sandbox, SiteEngine::Hugo, &files).await;
        assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
        assert_eq!(read(&place, "index.html").as_deref(), Some("<p>https://configured.example/</p>"));
    }
}

/// A recipe of folders and a command, where they are not empty.
fn recipe(base: &str, command: &str, pages: &str) -> Recipe {
    Recipe {
        base_directory: base.parse().ok(),
        command: command.parse().ok(),
        output_directory: pages.parse().ok(),
        ..Recipe::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_in_a_folder_is_built_there_by_its_own_command() {
    let files = [("README.md", "outside"), ("docs/index.html", "docs"), ("_site/index.html", "not this")];
    for sandbox in sandboxes().await {
        let (exit, said, place) = build_by(&sandbox, SiteEngine::Static, recipe("docs", "", ""), &files).await;
        assert_eq!((exit, read(&place, "index.html").as_deref()), (Exit::Code(0), Some("docs")), "{said}");
        assert_eq!(read(&place, "README.md"), None);
        let by = recipe("docs", "mkdir -p dist/html\ncat ../README.md > dist/html/index.html", "dist/html");
        let (exit, said, place) = build_by(&sandbox, SiteEngine::NodeJs, by, &files).await;
        assert_eq!((exit, read(&place, "index.html").as_deref()), (Exit::Code(0), Some("outside")), "{said}");
        assert!(said.contains("[build] the command of the site"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_does_not_fit_says_so() {
    let files = [("index.html", "x"), ("leads", "y")];
    for sandbox in sandboxes().await {
        for (recipe, message) in [
            (recipe("docs", "", ""), "[build] there is no folder docs in the repository"),
            (recipe("", "true", "dist"), "[build] the build left no dist folder"),
            (recipe("", "", "dist"), "[build] the build left no dist folder"),
            (recipe("", "exit 7", ""), "[build] the command of the site failed"),
        ] {
            let (exit, said, _place) = build_by(&sandbox, SiteEngine::Static, recipe, &files).await;
            assert!(matches!(exit, Exit::Code(code) if code != 0) && said.contains(message), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jekyll_builds_into_the_output_with_and_without_a_gemfile() {
    let page = ("index.md", "---\ntitle: T\n---\n# Hello {{ jekyll.environment }}\n");
    let (config, gemfile) =
        (("_config.yml", "title: T\n"), ("Gemfile", "source 'https://rubygems.org'\ngem 'jekyll'\n"));
    for sandbox in sandboxes().await {
        for files in [&[config, page][..], &[config, page, gemfile]] {
            let (exit, said, place) = build(&sandbox, SiteEngine::Jekyll, files).await;
            assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
            let index = read(&place, "index.html").unwrap();
            assert!(index.contains("Hello production"), "{}: {index}", sandbox.name());
            assert_eq!(said.contains("[build] bundle install"), files.len() == 3, "{said}");
        }
    }
}
