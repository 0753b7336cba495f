//! What a repository asks for by its version files, and what is there.

use super::builds::{build, read};
use super::place::sandboxes;
use events::SiteEngine;
use launcher::sandbox::Exit;

const PACKAGE: &str = r#"{"scripts": {"pages": "mkdir _site && node --version > _site/index.html"}}"#;
const GEMFILE: &str = "source 'https://rubygems.org'\ngem 'jekyll'\n";
const CONFIG: (&str, &str) = ("config.toml", "title = 'T'\ndisableKinds = ['taxonomy', 'term']\n");

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_there_fails_the_build_and_names_both() {
    type Case<'a> = (SiteEngine, &'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: [Case<'_>; 9] = [
        (
            SiteEngine::Hugo,
            &[CONFIG, (".hugo-version", "9.9.9\n")],
            ".hugo-version asks for Hugo 9.9.9",
            "this sandbox has 0.",
        ),
        (SiteEngine::Hugo, &[CONFIG, (".hugo-version", "newest")], ".hugo-version asks for Hugo newest", "no version"),
        (
            SiteEngine::Jekyll,
            &[(".ruby-version", "ruby-1.9.3\n")],
            ".ruby-version asks for Ruby 1.9.3",
            "this sandbox has 3.",
        ),
        (SiteEngine::Jekyll, &[(".ruby-version", "jruby-9")], ".ruby-version asks for jruby-9", "no version of Ruby"),
        (
            SiteEngine::Jekyll,
            &[("Gemfile", GEMFILE), (".bundler-version", "1.0.1")],
            ".bundler-version asks for Bundler 1.0.1",
            "this sandbox has 2.",
        ),
        (
            SiteEngine::NodeJs,
            &[("package.json", PACKAGE), (".nvmrc", "v18.4.0\n")],
            ".nvmrc asks for Node.js 18.4.0",
            "20, 22 and 24 can be had, and this sandbox has ",
        ),
        (
            SiteEngine::NodeJs,
            &[("package.json", PACKAGE), (".nvmrc", ">=20")],
            ".nvmrc asks for Node.js >=20",
            "no version",
        ),
        // Nothing is fetched where no network is.
        (
            SiteEngine::NodeJs,
            &[("package.json", PACKAGE), (".nvmrc", "22.0.0")],
            ".nvmrc asks for Node.js 22.0.0",
            "could not be fetched: this sandbox has ",
        ),
        (
            SiteEngine::NodeJs,
            &[("package.json", PACKAGE), ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n")],
            "the lockfile is of pnpm",
            "pnpm@9",
        ),
    ];
    for sandbox in sandboxes().await {
        for (engine, files, asked, there) in cases {
            let (exit, said, _place) = build(&sandbox, engine, files).await;
            assert_eq!(exit, Exit::Code(1), "{}: {said}", sandbox.name());
            let last = said.lines().last().unwrap();
            assert!(
                last.starts_with(&format!("[build] {asked}")) && last.contains(there),
                "{}: {said}",
                sandbox.name()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_there_is_used() {
    for sandbox in sandboxes().await {
        let ask = r#"{"scripts": {"pages": "mkdir _site && (node --version; ruby -e 'print RUBY_VERSION' || true; hugo version | cut -d' ' -f2) > _site/index.html"}}"#;
        let (_, said, place) = build(&sandbox, SiteEngine::NodeJs, &[("package.json", ask)]).await;
        let told = read(&place, "index.html").expect(&said);
        let hugo = told.split('v').next_back().unwrap().split(['+', '-']).next().unwrap().to_owned();
        let (exit, said, _place) = build(&sandbox, SiteEngine::Hugo, &[CONFIG, (".hugo-version", &hugo)]).await;
        assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
        let files = [("index.md", "# T"), (".ruby-version", "3.1.0\n"), ("Gemfile", GEMFILE)];
        let (exit, said, _place) = build(&sandbox, SiteEngine::Jekyll, &files).await;
        assert_eq!(exit, Exit::Code(0), "{}: {said}", sandbox.name());
        assert!(said.contains("where .ruby-version asks for 3.1.0"), "{said}");
    }
}
