//! Which files of the output are published: the path rules that sites moving from Federalist rely on.

/// Never published, wherever they are.
const BUILD_FILES: [&str; 2] = ["Dockerfile", "docker-compose.yml"];
/// Never published from the top folder.
const CONFIG_FILES: [&str; 2] = ["federalist.json", "pages.json"];
/// The one folder with a dot that is meant for readers (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// Whether a file or folder at this path, relative to the output, is published.
#[must_use]
pub fn is_published(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hidden = path.split('/').any(|segment| segment.starts_with('.') && segment != WELL_KNOWN);
    !(hidden || BUILD_FILES.contains(&name) || CONFIG_FILES.contains(&path))
}

#[cfg(test)]
mod tests {
    use super::is_published;

    #[test]
    fn the_rules_are_those_of_federalist() {
        for (path, published) in [
            ("index.html", true),
            ("a/b.css", true),
            (".git", false),
            ("a/.env", false),
            (".well-known/security.txt", true),
            (".well-known/.secret", false),
            ("Dockerfile", false),
            ("a/Dockerfile", false),
            ("Dockerfile.html", true),
            ("a/docker-compose.yml", false),
            ("pages.json", false),
            ("a/pages.json", true),
            ("federalist.json", false),
        ] {
            assert_eq!(is_published(path), published, "{path}");
        }
    }
}
