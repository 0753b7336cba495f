//! A large site as a folder of files, made by rule: the same files on every machine.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Every tenth file is a picture, which does not compress; the others are pages.
const PICTURES: usize = 10;
const PICTURE_BYTES: usize = 60_000;
const PAGE_BYTES: usize = 5_278;
/// Files of one folder.
const FOLDER: usize = 200;
const WORDS: &[&str] = &[
    "almanac", "build", "chapter", "deploy", "edge", "figure", "garden", "harbour", "index", "journal", "kettle",
    "ledger", "manifest", "notice", "orchard", "publish", "quarter", "reader", "source", "table", "under", "version",
    "weather", "year",
];

/// Writes `files` files below `folder`: with 20,000 of them 215 MB.
pub(crate) fn write(folder: &Path, files: usize) {
    for index in 0..files {
        let path = folder.join(path(index));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content(index, 0)).unwrap();
    }
}

/// What a day's work does to a site of `files` files: one file in a hundred is changed, one in a thousand goes, and as
/// many come.
pub(crate) fn change(folder: &Path, files: usize, version: usize) {
    for index in (version..files).step_by(100) {
        fs::write(folder.join(path(index)), content(index, version)).unwrap();
    }
    for index in (50..files).step_by(1000) {
        fs::remove_file(folder.join(path(index))).unwrap();
        fs::write(folder.join(path(index)).with_extension("new.html"), content(index + 1, version)).unwrap();
    }
}

/// The folder as the artifact of a build.
pub(crate) fn pack(folder: &Path, artifact: &Path) {
    let mut tar = tar::Builder::new(BufWriter::new(File::create(artifact).unwrap()));
    for path in all(folder) {
        tar.append_path_with_name(folder.join(&path), &path).unwrap();
    }
    tar.into_inner().unwrap().flush().unwrap();
}

/// Every file below `folder`, in order.
pub(crate) fn all(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let is_folder = entry.file_type().unwrap().is_dir();
            if is_folder {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn path(index: usize) -> PathBuf {
    let (folder, kind) = (index / FOLDER, if is_picture(index) { "png" } else { "html" });
    PathBuf::from(format!("part-{folder:03}/page-{index:05}.{kind}"))
}

const fn is_picture(index: usize) -> bool {
    index % PICTURES == PICTURES - 1
}

fn content(index: usize, version: usize) -> Vec<u8> {
    let mut state = (index as u64) << 20 | version as u64;
    if is_picture(index) { picture(&mut state) } else { page(index, &mut state) }
}

fn picture(state: &mut u64) -> Vec<u8> {
    std::iter::repeat_with(|| next(state).to_le_bytes()).flatten().take(PICTURE_BYTES).collect()
}

/// From half to one and a half of [`PAGE_BYTES`].
fn page(index: usize, state: &mut u64) -> Vec<u8> {
    let length = PAGE_BYTES / 2 + next(state) as usize % PAGE_BYTES;
    let mut text = format!("<!doctype html>\n<title>Page {index}</title>\n<p>");
    while text.len() < length {
        text.push_str(WORDS[next(state) as usize % WORDS.len()]);
        text.push(' ');
    }
    text.truncate(length);
    text.into_bytes()
}

/// SplitMix64.
const fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
