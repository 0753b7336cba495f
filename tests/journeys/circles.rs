//! Within a crate, too, arrows go one way: no module uses another that uses it, however long the way round. That holds for
//! the modules of each folder among themselves too; what they have in common stands in the file beside the folder.

use crate::architecture::{before_tests, source_files};
use journeys::workspace;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module of a folder uses of the others; a module is a file, or a folder with all that is below it.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_do_not_go_round_in_circles() {
    let crates = ["events", "projections", "tests"].map(|name| workspace().join(name));
    let services = std::fs::read_dir(workspace().join("services")).unwrap().map(|entry| entry.unwrap().path());
    let (mut seen, mut seen_below) = (0, 0);
    for source in services.chain(crates).map(|of_crate| of_crate.join("src")) {
        seen += arrows_without_circles(&source, &source);
        for folder in folders_below(&source) {
            seen_below += arrows_without_circles(&source, &folder);
        }
    }
    assert!(seen > 300, "the sources were read: {seen}");
    assert!(seen_below > 100, "the folders were read: {seen_below}");
}

/// How often a module of a folder uses another, none of which leads back to itself.
fn arrows_without_circles(source: &Path, folder: &Path) -> usize {
    let uses = uses(source, folder);
    let circle: Vec<_> = uses.keys().filter(|module| reached(&uses, module).contains(*module)).collect();
    assert!(circle.is_empty(), "`{}` has a circle of {circle:?}", folder.display());
    uses.values().map(BTreeSet::len).sum()
}

fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let below = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    below.flat_map(|path| [folders_below(&path), vec![path]].concat()).collect()
}

#[test]
fn a_circle_of_three_is_seen() {
    let uses: Uses = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
        .map(|(user, used)| (user.to_owned(), BTreeSet::from([used.to_owned()])))
        .into();
    assert_eq!(reached(&uses, "d"), ["a", "b", "c"].map(str::to_owned).into());
    assert!(reached(&uses, "a").contains("a") && !reached(&uses, "d").contains("d"));
    let text = "use crate::{self, b::{x, y}, c};\n// crate::d\nfn f() { crate::e::g() }";
    assert_eq!(named(text, "crate::"), ["b", "c", "e", "self"].map(str::to_owned).into());
}

fn uses(source: &Path, folder: &Path) -> Uses {
    let mut files = Vec::new();
    source_files(folder, &mut files);
    let mut uses = Uses::new();
    for file in files {
        let way: Vec<_> = file.strip_prefix(folder).unwrap().iter().collect();
        let module = way[0].to_string_lossy().trim_end_matches(".rs").to_owned();
        let up = if source == folder { "crate::".to_owned() } else { "super::".repeat(way.len()) };
        let text = std::fs::read_to_string(&file).unwrap();
        uses.entry(module).or_default().extend(named(&before_tests(&text), &up));
    }
    // The root declares all the others and may use them.
    uses.retain(|module, _| module != "lib" && module != "main");
    let modules: BTreeSet<String> = uses.keys().cloned().collect();
    for (module, used) in &mut uses {
        used.retain(|used| used != module && modules.contains(used));
    }
    uses
}

/// Everything that can be come to from `from`, itself only by a circle.
fn reached(uses: &Uses, from: &str) -> BTreeSet<String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for used in uses.get(module).into_iter().flatten() {
            if reached.insert(used.clone()) {
                open.push(used);
            }
        }
    }
    reached
}

/// The names right below `up`, which is `crate::` or `super::` once or more often.
fn named(text: &str, up: &str) -> BTreeSet<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    code.split(up).skip(1).flat_map(listed).collect()
}

/// The name at the start of `text`, or each of a list in braces, without what stands below them.
fn listed(text: &str) -> Vec<String> {
    let Some(list) = text.strip_prefix('{') else { return vec![word(text)] };
    let (mut depth, mut names, mut name) = (1, Vec::new(), String::new());
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(std::mem::take(&mut name)),
            _ if depth == 1 => name.push(letter),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names.push(name);
    names.iter().map(|name| word(name.trim())).filter(|name| !name.is_empty()).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
