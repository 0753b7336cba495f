//! Which engine a repository looks made for, told from the names at its top.

use crate::SiteEngine;

/// What names say, and which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The engine.
    pub engine: SiteEngine,
    /// Why, in a few words that go on from "because".
    pub because: String,
}

/// What only a site of Hugo has.
const HUGO: [&str; 3] = ["hugo.toml", "hugo.yaml", "hugo.json"];
/// What a site of Hugo may have, and others too, beside one of these folders.
const CONFIG: [&str; 3] = ["config.toml", "config.yaml", "config.json"];
const FOLDERS: [&str; 3] = ["archetypes", "layouts", "themes"];

/// What a site of Jekyll has, and those of some programs of Node.js too.
const JEKYLL: [&str; 2] = ["_config.yml", "_config.yaml"];

/// Guesses the engine from the names at the top of a repository. A script of `package.json` is run with every engine, so that
/// what has both is a site of Hugo.
#[must_use]
pub fn detect(names: &[&str]) -> Detected {
    let has = |name: &&&str| names.contains(*name);
    let found = |engine, name: &str| Detected { engine, because: format!("there is `{name}`") };
    if let Some(name) = HUGO.iter().find(has) {
        return found(SiteEngine::Hugo, name);
    }
    if let (Some(name), Some(folder)) = (CONFIG.iter().find(has), FOLDERS.iter().find(has)) {
        return Detected { engine: SiteEngine::Hugo, because: format!("there are `{name}` and `{folder}`") };
    }
    let jekyll = JEKYLL.iter().find(has);
    if let (Some(name), true) = (jekyll, names.contains(&"Gemfile")) {
        return Detected { engine: SiteEngine::Jekyll, because: format!("there are `{name}` and `Gemfile`") };
    }
    if names.contains(&"package.json") {
        return found(SiteEngine::NodeJs, "package.json");
    }
    if let Some(name) = jekyll {
        return found(SiteEngine::Jekyll, name);
    }
    if names.contains(&"index.html") {
        return found(SiteEngine::Static, "index.html");
    }
    Detected { engine: SiteEngine::Static, because: "nothing there is to be built".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_top_say_what_a_site_is_made_with() {
        for (names, engine, because) in [
            (&["content", "hugo.toml"][..], SiteEngine::Hugo, "there is `hugo.toml`"),
            (&["config.toml", "themes"], SiteEngine::Hugo, "there are `config.toml` and `themes`"),
            (&["hugo.yaml", "package.json"], SiteEngine::Hugo, "there is `hugo.yaml`"),
            (&["config.toml", "package.json"], SiteEngine::NodeJs, "there is `package.json`"),
            (&["index.html", "package.json"], SiteEngine::NodeJs, "there is `package.json`"),
            (&["about.html", "index.html"], SiteEngine::Static, "there is `index.html`"),
            (&["config.toml", "README.md"], SiteEngine::Static, "nothing there is to be built"),
            (&["_config.yml", "index.html"], SiteEngine::Jekyll, "there is `_config.yml`"),
            (&["Gemfile", "_config.yml", "package.json"], SiteEngine::Jekyll, "there are `_config.yml` and `Gemfile`"),
            (&["_config.yml", "package.json"], SiteEngine::NodeJs, "there is `package.json`"),
            (&[], SiteEngine::Static, "nothing there is to be built"),
        ] {
            assert_eq!(detect(names), Detected { engine, because: because.to_owned() }, "{names:?}");
        }
    }
}
