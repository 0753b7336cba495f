use super::diagnose;

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn reason(text: &str, code: i64) -> String {
    diagnose(&lines(text), code).reason
}

#[test]
fn the_reason_names_the_step_its_exit_code_and_the_line_that_says_it() {
    for (printed, code, expected) in [
        (
            "[build] package.json has no script named pages, federalist or build",
            1,
            "package.json has no script named pages, federalist or build.",
        ),
        ("[build] static files\n[build] the build left no _site folder", 1, "The build left no _site folder."),
        (
            "[build] .hugo-version asks for Hugo 9.9.9: this sandbox has 0.111.3",
            1,
            ".hugo-version asks for Hugo 9.9.9: this sandbox has 0.111.3.",
        ),
        (
            "[build] npm run pages\n\n> s@1.0.0 pages\n> echo about to fail; exit 3\n\nabout to fail\n[build] npm run pages failed, see the lines above",
            3,
            "npm run pages failed with exit code 3: about to fail.",
        ),
        (
            "[build] npm ci\nnpm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.\nnpm error A complete log of this run can be found in: /x\n[build] npm ci failed, see the lines above",
            1,
            "npm ci failed with exit code 1: `npm ci` can only install packages when your package.json and package-lock.json are in sync.",
        ),
        (
            "[build] npm run pages\n/site/x.js:1\nthrow new Error(\"boom\")\n^\n\n\u{1b}[31mError: boom\u{1b}[0m\n    at Object.<anonymous> (/site/x.js:1:7)\n\nNode.js v22.1.0\n[build] npm run pages failed, see the lines above",
            1,
            "npm run pages failed with exit code 1: Error: boom.",
        ),
        ("", 137, "The build failed with exit code 137."),
        ("[build] npm run pages\nhalf way", 137, "The build failed with exit code 137: half way."),
    ] {
        assert_eq!(reason(printed, code), expected, "{printed}");
    }
}

#[test]
fn a_build_that_speaks_as_the_script_does_is_quoted_and_not_believed() {
    let told = reason("[build] all is well\nno\n[build] npm run pages failed, see the lines above", 7);
    assert_eq!(told, "npm run pages failed with exit code 7: no.");
    assert_eq!(reason("[build] the platform is broken", 2), "The build failed with exit code 2.");
}

#[test]
fn a_long_line_is_cut() {
    let told = reason(&"é".repeat(9000), 1);
    assert!(told.chars().count() < 300 && told.ends_with('…'), "{told}");
}

#[test]
fn usual_causes_have_a_hint() {
    for (printed, word) in [
        ("[build] package.json has no script named pages, federalist or build", "script named pages"),
        ("[build] the build left no _site folder", "_site"),
        ("Error: Cannot find module 'left-pad'", "package.json"),
        ("sh: 1: eleventy: not found", "command"),
        ("npm error code ETARGET\nnpm error notarget No matching version found for x@99.", "version"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "NODE_OPTIONS"),
        ("npm error code E404\nnpm error 404 Not Found - GET x", "does not exist by this name"),
        ("sh: 1: ./build.sh: Permission denied", "chmod"),
        ("getaddrinfo EAI_AGAIN registry.npmjs.org", "reached"),
        ("Error: ENOENT: no such file or directory, open 'Index.html'", "capitals"),
    ] {
        let hint = diagnose(&lines(printed), 1).hint;
        assert!(hint.is_some_and(|hint| hint.contains(word)), "{printed}: {hint:?}");
    }
    assert_eq!(diagnose(&lines("about to fail"), 3).hint, None);
}
