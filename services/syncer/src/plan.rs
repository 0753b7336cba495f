//! Which bytes a deploy adds to its site's bucket, and in which packs. Pure: equal files and equal knowledge make equal
//! plans, so that a repeated sync writes the same objects.

use events::Digest;
use std::collections::HashMap;

/// Packs are filled up to this size. Measured: a few large requests in parallel beat one per file by far.
pub const PACK_BYTES: u64 = 32 * 1024 * 1024;

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the site's root.
    pub path: String,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where its content starts in the artifact, in bytes.
    pub position: u64,
}

/// Where content lies in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The pack.
    pub pack: Digest,
    /// Where in it, in bytes.
    pub offset: u64,
}

/// The content that earlier deploys brought.
#[derive(Debug, Clone, Default)]
pub struct Known(HashMap<Digest, Location>);

/// A pack to be written: blobs one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pack {
    /// Its parts in order. Of a blob that several files share, the first file.
    pub blobs: Vec<Blob>,
    /// Its size in bytes.
    pub size: u64,
}

/// A part of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of it.
    pub digest: Digest,
    /// Where it starts in the artifact, in bytes.
    pub position: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// Where a file's content is once the plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// Where an earlier deploy put it.
    Known(Location),
    /// In a pack of this plan.
    New {
        /// Index of the pack.
        pack: usize,
        /// Where in it, in bytes.
        offset: u64,
    },
}

/// A file, and where its content is once the plan is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The file.
    pub file: File,
    /// Where its content is.
    pub spot: Spot,
}

/// What to write, and where everything is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Every file, sorted by path.
    pub files: Vec<Placed>,
    /// The packs to write.
    pub packs: Vec<Pack>,
}

impl Known {
    /// Adds what one deploy has. What is known already keeps its place, so the newest deploy comes first.
    pub fn extend(&mut self, content: impl IntoIterator<Item = (Digest, Location)>) {
        for (digest, location) in content {
            self.0.entry(digest).or_insert(location);
        }
    }
}

/// Decides where each file's content goes: nowhere if it is known, else into a pack, once however many files share it.
#[must_use]
pub fn plan(mut files: Vec<File>, known: &Known) -> Plan {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut packing = Packing::default();
    let placed = files.into_iter().map(|file| {
        let spot = match known.0.get(&file.digest) {
            Some(location) => Spot::Known(*location),
            None => packing.place(&file),
        };
        Placed { file, spot }
    });
    let files = placed.collect();
    Plan { files, packs: packing.packs }
}

#[derive(Default)]
struct Packing {
    packs: Vec<Pack>,
    /// The pack being filled.
    open: Option<usize>,
    placed: HashMap<Digest, Spot>,
}

impl Packing {
    fn place(&mut self, file: &File) -> Spot {
        if let Some(place) = self.placed.get(&file.digest) {
            return *place;
        }
        let place = self.append(file);
        self.placed.insert(file.digest, place);
        place
    }

    /// A blob larger than a pack is one of its own: it is sent from the artifact, without a copy in memory.
    fn append(&mut self, file: &File) -> Spot {
        let fits = |pack: &Pack| pack.size.saturating_add(file.size) <= PACK_BYTES;
        let index = match self.open.filter(|index| self.packs.get(*index).is_some_and(fits)) {
            Some(index) => index,
            None => self.begin(file.size),
        };
        let Some(pack) = self.packs.get_mut(index) else {
            return Spot::New { pack: index, offset: 0 };
        };
        let offset = pack.size;
        pack.blobs.push(Blob { digest: file.digest, position: file.position, size: file.size });
        pack.size += file.size;
        Spot::New { pack: index, offset }
    }

    fn begin(&mut self, size: u64) -> usize {
        self.packs.push(Pack::default());
        let index = self.packs.len() - 1;
        if size <= PACK_BYTES {
            self.open = Some(index);
        }
        index
    }
}

impl Plan {
    /// How many blobs are to be written.
    #[must_use]
    pub fn new_blobs(&self) -> u64 {
        self.packs.iter().map(|pack| pack.blobs.len() as u64).sum()
    }

    /// Their size in bytes.
    #[must_use]
    pub fn new_bytes(&self) -> u64 {
        self.packs.iter().map(|pack| pack.size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const MIB: u64 = 1024 * 1024;

    fn file(path: &str, content: u64, size: u64) -> File {
        // The size is a function of the content, as for real files.
        File {
            path: path.to_owned(),
            digest: Digest::of(&(content, size).0.to_be_bytes()),
            size,
            position: content * 100,
        }
    }

    fn knowing(files: &[File]) -> Known {
        let mut known = Known::default();
        let pack = Digest::of(b"earlier");
        known.extend(files.iter().zip(0..).map(|(file, offset)| (file.digest, Location { pack, offset })));
        known
    }

    fn sizes(plan: &Plan) -> Vec<Vec<u64>> {
        plan.packs.iter().map(|pack| pack.blobs.iter().map(|blob| blob.size / MIB).collect()).collect()
    }

    #[test]
    fn packs_fill_up_in_the_order_of_paths_and_a_large_blob_is_alone() {
        for (case, mib, expected) in [
            ("nothing", vec![], vec![]),
            ("one pack exactly", vec![16, 16], vec![vec![16, 16]]),
            ("one byte class more", vec![16, 16, 1], vec![vec![16, 16], vec![1]]),
            ("large in between", vec![10, 40, 10, 20], vec![vec![10, 10], vec![40], vec![20]]),
            ("exactly a pack", vec![32, 1], vec![vec![32], vec![1]]),
            ("large first", vec![33, 1], vec![vec![33], vec![1]]),
        ] {
            let files = mib.iter().zip(0..).map(|(mib, n)| file(&format!("{n:02}"), n, mib * MIB)).collect();
            assert_eq!(sizes(&plan(files, &Known::default())), expected, "{case}");
        }
    }

    #[test]
    fn equal_content_is_stored_once() {
        let plan = plan(vec![file("b", 1, 5), file("a", 1, 5), file("c", 2, 5)], &Known::default());
        assert_eq!((plan.new_blobs(), plan.new_bytes()), (2, 10));
        assert_eq!(plan.files[0].spot, plan.files[1].spot);
    }

    #[test]
    fn an_unchanged_deploy_uploads_nothing() {
        let files = vec![file("a", 1, 5), file("b", 2, 50 * MIB), file("c", 3, 0)];
        let plan = plan(files.clone(), &knowing(&files));
        assert_eq!(plan.packs, []);
        assert!(plan.files.iter().all(|placed| matches!(placed.spot, Spot::Known(_))));
    }

    #[test]
    fn what_the_first_deploy_tells_stays_where_it_is() {
        let (file, first, second) = (file("a", 1, 5), Digest::of(b"1"), Digest::of(b"2"));
        let mut known = Known::default();
        known.extend([(file.digest, Location { pack: first, offset: 3 })]);
        known.extend([(file.digest, Location { pack: second, offset: 4 })]);
        assert_eq!(plan(vec![file], &known).files[0].spot, Spot::Known(Location { pack: first, offset: 3 }));
    }

    fn files() -> impl Strategy<Value = Vec<File>> {
        let content = 0..20_u64;
        proptest::collection::btree_map("[a-z]{1,3}", content, 0..40).prop_map(|paths| {
            let size = |content: u64| content * content * content * 6_000;
            paths.into_iter().map(|(path, content)| file(&path, content, size(content))).collect()
        })
    }

    proptest! {
        #[test]
        fn every_file_is_addressed_and_nothing_known_is_uploaded(files in files(), earlier in files()) {
            let known = knowing(&earlier);
            let plan = plan(files.clone(), &known);
            prop_assert_eq!(plan.files.len(), files.len());
            for Placed { file, spot } in &plan.files {
                match spot {
                    Spot::Known(location) => prop_assert_eq!(known.0.get(&file.digest), Some(location)),
                    Spot::New { pack, offset } => {
                        let mut end = 0;
                        let found = plan.packs[*pack].blobs.iter().find(|blob| {
                            let start = end;
                            end += blob.size;
                            (start, blob.digest) == (*offset, file.digest)
                        });
                        prop_assert_eq!(found.map(|blob| blob.size), Some(file.size));
                    }
                }
            }
            let blobs: Vec<_> = plan.packs.iter().flat_map(|pack| &pack.blobs).map(|blob| blob.digest).collect();
            prop_assert!(blobs.iter().all(|digest| !known.0.contains_key(digest)));
            prop_assert_eq!(blobs.iter().collect::<HashSet<_>>().len(), blobs.len());
            for pack in &plan.packs {
                prop_assert!(!pack.blobs.is_empty() && (pack.size <= PACK_BYTES || pack.blobs.len() == 1));
                prop_assert_eq!(pack.size, pack.blobs.iter().map(|blob| blob.size).sum::<u64>());
            }
        }

        #[test]
        fn the_order_of_files_makes_no_difference(files in files(), earlier in files(), seed in any::<u64>()) {
            let known = knowing(&earlier);
            let mut shuffled = files.clone();
            shuffled.sort_by_key(|file| Digest::of(format!("{seed}{}", file.path).as_bytes()));
            let (a, b) = (plan(files, &known), plan(shuffled, &known));
            prop_assert_eq!(a, b);
        }
    }
}
