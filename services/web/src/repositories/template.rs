//! What a new repository has at first.

use events::SiteEngine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const STYLE: &str = include_str!("../../templates/style.css");

macro_rules! template {
    ($folder:literal: $style:literal, $($path:literal),*) => {
        &[($style, STYLE), $(($path, include_str!(concat!("../../templates/", $folder, "/", $path)))),*]
    };
}

const PLAIN: &[(&str, &str)] = template!("plain": "style.css", "index.html", "about.html", "404.html");
const ELEVENTY: &[(&str, &str)] = template!(
    "eleventy": "style.css", "package.json", "package-lock.json", "eleventy.config.js", "index.md", "about.md", "_includes/page.njk", ".gitignore"
);
const HUGO: &[(&str, &str)] = template!(
    "hugo": "static/style.css", "config.toml", "content/_index.md", "content/about.md", "layouts/_default/baseof.html",
    "layouts/_default/single.html", "layouts/_default/list.html", ".gitignore"
);

/// What a new site begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub(crate) enum Template {
    /// Plain pages, published as they are.
    #[serde(rename = "plain")]
    Plain,
    /// Pages in Markdown, made by 11ty.
    #[serde(rename = "11ty")]
    Eleventy,
    /// Pages in Markdown, made by Hugo.
    #[serde(rename = "hugo")]
    Hugo,
}

impl Template {
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Eleventy, Self::Hugo];

    /// Its word in the API and in forms.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Eleventy => "11ty",
            Self::Hugo => "hugo",
        }
    }

    pub(crate) const fn engine(self) -> SiteEngine {
        match self {
            Self::Plain => SiteEngine::Static,
            Self::Eleventy => SiteEngine::NodeJs,
            Self::Hugo => SiteEngine::Hugo,
        }
    }

    /// Its files: paths and what they say.
    pub(crate) const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Plain => PLAIN,
            Self::Eleventy => ELEVENTY,
            Self::Hugo => HUGO,
        }
    }
}
