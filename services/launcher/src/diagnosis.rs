//! Why a build failed, told from what it printed last: the step, its exit code and the line that says it, and what usually helps.
//!
//! What a build prints is its own, so all of this is a guess; the log is there to hold it against.

use crate::lines::plain;

/// What the lines of our own script begin with.
const MARK: &str = "[build] ";
/// How it ends a line about a step that has said itself what is wrong.
const SAID_ABOVE: &str = ", see the lines above";
/// The longest line that is quoted, in characters.
const QUOTED_MAX: usize = 240;

/// What is known about a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// Why, in one sentence.
    pub(crate) reason: String,
    /// What usually helps.
    pub(crate) hint: Option<&'static str>,
}

/// Says why a build failed that ended with `code` and had printed `lines` last.
pub(crate) fn diagnose(lines: &[String], code: i64) -> Diagnosis {
    let lines: Vec<String> = lines.iter().map(|line| plain(line).trim_end().to_owned()).collect();
    let last = lines.iter().rposition(|line| line.starts_with(MARK));
    let stated = last.and_then(|at| Some((at, lines[at].strip_prefix(MARK)?)));
    let (failed, from, to) = match stated {
        Some((at, stated)) => match stated.strip_suffix(SAID_ABOVE) {
            Some(step) => (step.to_owned(), step_start(&lines[..at]), at),
            // The script has looked itself.
            None if stated_failure(stated, code) => {
                let whole = sentence(stated);
                return Diagnosis { hint: hint(std::slice::from_ref(&whole)), reason: whole };
            }
            None => ("The build failed".to_owned(), at + 1, lines.len()),
        },
        None => ("The build failed".to_owned(), 0, lines.len()),
    };
    let said: Vec<&str> = lines[from..to].iter().map(String::as_str).filter(|line| !is_noise(line)).collect();
    let quoted = telling(&said).map_or_else(|| ".".to_owned(), |line| format!(": {}", cut(line)));
    Diagnosis { reason: sentence(&format!("{failed} with exit code {code}{quoted}")), hint: hint(&lines[from..to]) }
}

/// Whether the script ended the build by what it stated: a step that it only began may be killed at any time.
fn stated_failure(stated: &str, code: i64) -> bool {
    const STATED: [&str; 11] = [
        "package.json ",
        "nothing to run",
        "this sandbox has no",
        "the build left no",
        "there is no folder",
        "Gemfile is there",
        ".bundler-version ",
        ".hugo-version asks",
        ".nvmrc asks",
        ".ruby-version asks",
        "the lockfile is of",
    ];
    code == 1 && STATED.iter().any(|begin| stated.starts_with(begin))
}

/// Where the lines of the step begin that ended last.
fn step_start(lines: &[String]) -> usize {
    lines.iter().rposition(|line| line.starts_with(MARK)).map_or(0, |at| at + 1)
}

/// What a package manager or a runtime says around what is wrong.
fn is_noise(line: &str) -> bool {
    const NOISE: [&str; 9] = [
        "> ",
        "at ",
        "npm notice",
        "npm warn",
        "npm WARN",
        "Node.js v",
        "npm error A complete log",
        "npm ERR! A complete log",
        "npm error code ",
    ];
    let line = line.trim();
    ["", "npm error", "npm ERR!"].contains(&line)
        || line.starts_with("npm ERR! code ")
        || NOISE.iter().any(|begin| line.starts_with(begin))
}

/// The line that says what is wrong: the last that speaks of an error, else the first of npm's, else the last of all.
fn telling<'a>(said: &[&'a str]) -> Option<&'a str> {
    let of_npm = |line: &&&str| line.starts_with("npm error") || line.starts_with("npm ERR!");
    let own = said.iter().rev().filter(|line| !of_npm(line)).find(|line| speaks_of_an_error(line));
    let line = own.or_else(|| said.iter().find(of_npm)).or_else(|| said.last())?;
    let line = line.trim();
    Some(line.strip_prefix("npm error ").or_else(|| line.strip_prefix("npm ERR! ")).unwrap_or(line))
}

fn speaks_of_an_error(line: &str) -> bool {
    let line = line.to_lowercase();
    ["error", "not found", "cannot", "fatal", "failed"].iter().any(|word| line.contains(word))
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// A capital at its beginning, and an end.
fn sentence(text: &str) -> String {
    let is_command = ["npm ", "pnpm", "yarn", "hugo ", "jekyll ", "bundle "].iter().any(|name| text.starts_with(name))
        || text.starts_with("package.json");
    let mut letters = text.chars();
    let begun = match letters.next() {
        Some(first) if !is_command => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if begun.ends_with(['.', '!', '?', '…']) { begun } else { format!("{begun}.") }
}

/// What usually helps: the usual causes, each by what it makes programs print, the particular before the general.
const HINTS: &[(&[&str], &str)] = &[
    (&["has no script named"], "Add a script named pages to package.json that makes the folder _site."),
    (&["there is no package.json"], "Commit package.json, or choose another engine for the site."),
    (
        &["the build left no"],
        "Let the build write its pages into the folder _site, or name the one it writes them into in the site's settings.",
    ),
    (
        &[".hugo-version asks", ".ruby-version asks", ".bundler-version asks"],
        "Ask for the version that is there, or for another build image.",
    ),
    (&[".nvmrc asks"], "Ask for 20, 22 or 24, and let the builds of the site reach npm's registry."),
    (&["there is no folder"], "The site's settings name a folder that this branch does not have."),
    (
        &["could not find gem", "bundle install failed"],
        "Look whether the gems of Gemfile.lock are there for this version of Ruby.",
    ),
    (
        &["package.json cannot be read", "ejsonparse"],
        "package.json is not valid JSON: look for a comma too many or too few.",
    ),
    (
        &["can only install packages when", "are in sync"],
        "Run `npm install` and commit package-lock.json with package.json.",
    ),
    (
        &["eresolve"],
        "Two packages want different versions of a third: choose versions that agree, and commit package-lock.json.",
    ),
    (&["etarget", "no matching version"], "A version that package.json asks for does not exist: choose one that does."),
    (&["eintegrity"], "A package is not what package-lock.json says: make the lock file anew and commit it."),
    (&["e404"], "A package does not exist by this name, or is private: look at its name."),
    (&["e401", "e403", "need auth"], "The registry wants a token: give it to the builds as a variable of the site."),
    (&["ebadengine", "unsupported engine"], "A package wants another version of Node.js than there is."),
    (&["gyp err"], "A package compiles native code and could not: choose a version of it that brings it compiled."),
    (
        &["heap out of memory"],
        "Node.js ran out of memory of its own: build less at once, or give it more by NODE_OPTIONS.",
    ),
    (&["err_openssl_evp_unsupported"], "A package is too old for this Node.js: update it."),
    (
        &["cannot find module", "err_module_not_found", "can't resolve"],
        "Add the package that is missing to package.json and commit package-lock.json; file names count their capitals here.",
    ),
    (
        &["eai_again", "enotfound", "econnrefused", "could not resolve host", "getaddrinfo"],
        "A server could not be reached from the build: look at its name, or try again.",
    ),
    (&["theme", "module \""], "The theme is not there: commit it, or add it as a submodule."),
    (&["unable to locate config file"], "Hugo finds no configuration: commit hugo.toml."),
    (
        &["yamlexception", "front matter", "frontmatter"],
        "The front matter of a page is not valid: look at the line that is named.",
    ),
    (
        &[
            "template render error",
            "liquid",
            "execute of template failed",
            "failed to extract shortcode",
            "template for shortcode",
        ],
        "A template is wrong: look at the line that is named.",
    ),
    (&["syntaxerror"], "A script is not valid JavaScript: look at the line that is named."),
    (&["permission denied"], "A file may not be run: `git update-index --chmod=+x` and commit."),
    (&["eacces"], "The build writes where it may not: let it write below its checkout or its home."),
    (&[": not found", "command not found"], "The command is not there: add its package to package.json."),
    (
        &["no such file or directory", "enoent"],
        "A file is not in the repository: commit it; file names count their capitals here.",
    ),
];

fn hint(said: &[String]) -> Option<&'static str> {
    let said: Vec<String> = said.iter().map(|line| line.to_lowercase()).collect();
    let is_met = |(signs, _): &&(&[&str], &str)| signs.iter().any(|sign| said.iter().any(|line| line.contains(sign)));
    HINTS.iter().find(is_met).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests;
