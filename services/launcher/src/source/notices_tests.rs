use super::{ATTRIBUTES_MAX, beginning, notices};
use std::fs::{self, File};
use std::os::unix::fs::symlink;

#[test]
fn of_a_long_file_of_attributes_the_beginning_is_read() {
    let checkout = tempfile::tempdir().unwrap();
    let path = checkout.path().join(".gitattributes");
    // As long as no memory is, and next to nothing on the disk.
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(beginning(&path).unwrap().len() as u64, ATTRIBUTES_MAX);
    assert_eq!(notices(checkout.path()), Vec::<String>::new());
    fs::write(&path, "*.psd filter=lfs diff=lfs\n").unwrap();
    assert!(notices(checkout.path())[0].contains("Git LFS"));
    fs::rename(&path, checkout.path().join("elsewhere")).unwrap();
    symlink("elsewhere", &path).unwrap();
    assert_eq!(notices(checkout.path()), Vec::<String>::new(), "a link is not followed");
}
