//! How a site answers its readers: each of these has a default, which most sites keep.

use crate::access::Access;
use crate::ids::Invalid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What the people of a site may change about its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Serving {
    /// Which addresses its pages have.
    pub html_handling: HtmlHandling,
    /// What answers where there is no file.
    pub not_found_handling: NotFoundHandling,
    /// By whose grammar its files `_redirects` and `_headers` are read.
    pub rules_dialect: RulesDialect,
    /// Whom it lets in.
    pub access: Access,
}

/// Which addresses pages have, and which lead there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HtmlHandling {
    /// `/about` for `about.html`, `/blog/` for `blog/index.html`.
    #[default]
    AutoTrailingSlash,
    /// With a slash at the end.
    ForceTrailingSlash,
    /// Without a slash at the end.
    DropTrailingSlash,
    /// The files' own paths and no others.
    None,
}

/// What answers where there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotFoundHandling {
    /// The nearest `404.html` upwards, as not found.
    #[default]
    #[serde(rename = "404-page")]
    Page,
    /// The site's `index.html`, as found, unless a file with an extension was asked for.
    SinglePageApplication,
    /// A page of ours, as not found.
    None,
}

/// By whose grammar the files `_redirects` and `_headers` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RulesDialect {
    /// Netlify's.
    #[default]
    Netlify,
    /// Cloudflare's.
    Cloudflare,
}

impl Serving {
    /// Whether everything is as most sites keep it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is not as most sites keep it, in a few words each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Self { html_handling: html, not_found_handling: missing, rules_dialect: dialect, access } = *self;
        let mut told = Vec::new();
        if html != HtmlHandling::default() {
            told.push(format!("addresses of pages: {html}"));
        }
        if missing != NotFoundHandling::default() {
            told.push(format!("where there is no file: {missing}"));
        }
        if dialect != RulesDialect::default() {
            told.push(format!("rules are read as {dialect}'s"));
        }
        told.extend(access.told());
        told
    }
}

/// The words of a choice, which are what its facts and everybody's commands say.
macro_rules! words {
    ($choice:ident { $($variant:ident => $word:literal),+ }) => {
        impl $choice {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl fmt::Display for $choice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl FromStr for $choice {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(Invalid(format!("`{}` is none of {}", other.escape_debug(), [$($word),+].join(", ")))),
                }
            }
        }
    };
}

words!(HtmlHandling {
    AutoTrailingSlash => "auto-trailing-slash",
    ForceTrailingSlash => "force-trailing-slash",
    DropTrailingSlash => "drop-trailing-slash",
    None => "none"
});
words!(NotFoundHandling {
    Page => "404-page",
    SinglePageApplication => "single-page-application",
    None => "none"
});
words!(RulesDialect { Netlify => "netlify", Cloudflare => "cloudflare" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Mode;

    #[test]
    fn a_choice_is_one_word_wherever_it_is_said() {
        fn holds<T>(all: &[T])
        where
            T: Copy + PartialEq + fmt::Debug + fmt::Display + FromStr<Err = Invalid> + Serialize,
        {
            for choice in all {
                assert_eq!(choice.to_string().parse::<T>().unwrap(), *choice);
                assert_eq!(serde_json::to_value(choice).unwrap(), choice.to_string());
            }
            let error = "some".parse::<T>().unwrap_err().to_string();
            assert!(error.contains("some") && all.iter().all(|choice| error.contains(&choice.to_string())), "{error}");
        }
        holds(HtmlHandling::ALL);
        holds(NotFoundHandling::ALL);
        holds(RulesDialect::ALL);
    }

    #[test]
    fn only_what_is_not_the_default_is_told() {
        assert_eq!(Serving::default().told(), Vec::<String>::new());
        let other = Serving {
            html_handling: HtmlHandling::None,
            not_found_handling: NotFoundHandling::SinglePageApplication,
            rules_dialect: RulesDialect::Cloudflare,
            access: Access { live: Mode::Password, preview: Mode::Link },
        };
        let told = [
            "addresses of pages: none",
            "where there is no file: single-page-application",
            "rules are read as cloudflare's",
            "the live site for whoever knows the password",
            "previews for whoever has a share link",
        ];
        assert_eq!(other.told(), told);
    }
}
