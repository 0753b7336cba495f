//! Which media type a file is served as, by its name alone: the content comes from a build that nobody trusts.

const UNKNOWN: &str = "application/octet-stream";
const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// The content type of the file at `path`; text is UTF-8.
#[must_use]
pub fn of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => of_extension(&extension.to_ascii_lowercase()),
        Some(_) | None => of_bare(name).to_owned(),
    }
}

/// Names without an extension that are text wherever they appear.
fn of_bare(name: &str) -> &'static str {
    match name {
        "AUTHORS" | "CHANGELOG" | "CNAME" | "COPYING" | "LICENSE" | "NOTICE" | "README" | "_headers" | "_redirects" => {
            PLAIN
        }
        "apple-app-site-association" => JSON,
        _ => UNKNOWN,
    }
}

fn of_extension(extension: &str) -> String {
    let known = match extension {
        "js" | "mjs" => "text/javascript",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "avif" => "image/avif",
        "woff2" => "font/woff2",
        other => mime_guess::from_ext(other).first_raw().unwrap_or(UNKNOWN),
    };
    if is_text(known) { format!("{known}; charset=utf-8") } else { known.to_owned() }
}

fn is_text(content_type: &str) -> bool {
    const SUFFIXES: [&str; 4] = ["/json", "+json", "/xml", "+xml"];
    content_type.starts_with("text/") || SUFFIXES.iter().any(|suffix| content_type.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_decides_the_content_type() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/STYLE.CSS", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("app.js.map", JSON),
            ("feed.xml", "text/xml; charset=utf-8"),
            ("logo.svg", "image/svg+xml; charset=utf-8"),
            ("app.webmanifest", "application/manifest+json; charset=utf-8"),
            ("app.wasm", "application/wasm"),
            ("photo.avif", "image/avif"),
            ("font.woff2", "font/woff2"),
            ("paper.pdf", "application/pdf"),
            ("README.md", "text/markdown; charset=utf-8"),
            ("README", PLAIN),
            ("docs/LICENSE", PLAIN),
            (".well-known/apple-app-site-association", JSON),
            (".nojekyll", UNKNOWN),
            ("v1.2/data", UNKNOWN),
            ("thing.nosuchtype", UNKNOWN),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }
}
