//! How long a file may be kept by whoever has it. Pure.

use crate::routes::Kind;
use http::HeaderValue;
use storage::SiteFile;

/// A page may change at any time, so caches ask again; with an entity tag that costs no body.
pub(crate) const REVALIDATE: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");
pub(crate) const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Shorter parts of a name are words.
const HASH_MIN: usize = 8;
/// The longest digest that tools put into names.
const HASH_MAX: usize = 128;

/// A deploy's own host never shows anything else, and a name with a hash of its content never means anything else. All else is
/// asked for again, which costs no body while it is the same.
pub(crate) fn of(file: &SiteFile, kind: Kind) -> HeaderValue {
    match kind {
        Kind::Deploy => IMMUTABLE,
        Kind::Live | Kind::Demo | Kind::Preview if is_asset(file) && is_hashed(&file.path) => IMMUTABLE,
        Kind::Live | Kind::Demo | Kind::Preview => REVALIDATE,
    }
}

/// Pages are what readers come back to: they are never kept unasked, whatever they are called.
fn is_asset(file: &SiteFile) -> bool {
    !file.content_type.starts_with("text/html")
}

/// Whether a part of the name before its extension, but not the first part, is a hash.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    stem.split(['.', '-', '_']).skip(1).any(is_hash)
}

/// Hexadecimal with digits and letters, or letters of both cases with digits: a date is no hash, and neither is a word.
fn is_hash(part: &str) -> bool {
    let bytes = part.as_bytes();
    if !(HASH_MIN..=HASH_MAX).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let has = |is: fn(&u8) -> bool| bytes.iter().any(is);
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit) && has(u8::is_ascii_alphabetic);
    has(u8::is_ascii_digit) && (is_hex || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Digest;

    #[test]
    fn a_name_with_a_hash_is_told_from_dates_versions_and_words() {
        for (path, expected) in [
            ("app.3f2a9c1b.js", true),
            ("assets/index-BHk4sJ2b.js", true),
            ("css/main_d41d8cd98f00b204e9800998ecf8427e.css", true),
            ("logo.3f2a9c1b.min.svg", true),
            ("3f2a9c1b.js", false),
            ("report-20240101.pdf", false),
            ("report-12345678.pdf", false),
            ("jquery-3.7.1.min.js", false),
            ("my-component.js", false),
            ("feedface-deadbeef.js", false),
            ("app.3f2a9c1b/readme.txt", false),
            ("app-3f2a9c1b", false),
            ("app.js", false),
        ] {
            assert_eq!(is_hashed(path), expected, "{path}");
        }
    }

    #[test]
    fn only_what_never_changes_is_kept_unasked() {
        let file = |path: &str| {
            let (digest, content_type) = (Digest::of(b"x"), storage::content_type::of(path).into());
            SiteFile { path: path.to_owned(), digest, size: 1, content_type, pack: digest, offset: 0 }
        };
        for (path, kind, expected) in [
            ("app.3f2a9c1b.js", Kind::Live, IMMUTABLE),
            ("app.3f2a9c1b.js", Kind::Preview, IMMUTABLE),
            ("app.js", Kind::Live, REVALIDATE),
            ("page.3f2a9c1b.html", Kind::Live, REVALIDATE),
            ("index.html", Kind::Demo, REVALIDATE),
            ("index.html", Kind::Deploy, IMMUTABLE),
        ] {
            assert_eq!(of(&file(path), kind), expected, "{path} {kind:?}");
        }
    }
}
