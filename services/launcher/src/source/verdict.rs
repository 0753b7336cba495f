//! What git's words mean: whose fault a failed fetch is, and the sentence that says so.

use super::Error;
use super::address::Address;
use super::complaint::Complaint;
use dialer::Unreached;

/// There is no room here.
const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];
/// This machine failed, not the source.
const OURS: [&str; 8] = [
    "git could not be run",
    "Read-only file system",
    "Input/output error",
    "Cannot allocate memory",
    "Too many open files",
    "Resource temporarily unavailable",
    "prlimit: ",
    "setpriv: ",
];
/// Git calls a folder that it cannot look into one of dubious owners: every owner is safe to us.
const MISSING: [&str; 5] = [
    "detected dubious ownership in repository",
    "' not found",
    "does not appear to be a git repository",
    "The requested URL returned error: 404",
    "The requested URL returned error: 410",
];
const REFUSED: [&str; 7] = [
    "could not read Username",
    "could not read Password",
    "Authentication failed",
    "The requested URL returned error: 401",
    "The requested URL returned error: 403",
    "Permission denied (",
    "Host key verification failed",
];
const LEAVES_THE_SCHEME: [&str; 3] = ["Unsupported URL scheme", "\" disabled", "not supported or disabled in libcurl"];
/// A commit with what no folder here can hold.
const UNFIT: [&str; 3] = ["File name too long", "error: invalid path", "Filename too long"];

/// Why a fetch has failed.
pub(super) fn of_fetch(complaint: Complaint, unreached: Option<Unreached>, address: &Address) -> Error {
    let said = complaint.own_words();
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let shown = address.to_string();
    if let Some(why) = unreached {
        Error::unreached(address, why)
    } else if says(&FULL) {
        Error::DiskFull { source: complaint }
    } else if says(&OURS) {
        Error::Git { action: "fetch the source", source: complaint }
    } else if says(&REFUSED) {
        Error::AccessRefused { address: shown }
    } else if says(&MISSING) {
        Error::RepositoryNotFound { address: shown }
    } else if says(&LEAVES_THE_SCHEME) {
        Error::AddressRefused { address: shown, why: "it leads on to another scheme" }
    } else {
        Error::RepositoryUnavailable { address: shown, source: complaint.in_short() }
    }
}

/// Why a commit could not be checked out.
pub(super) fn of_checkout(complaint: Complaint) -> Error {
    let said = complaint.own_words();
    if UNFIT.iter().any(|words| said.contains(words)) {
        Error::CommitUnfit { source: complaint.in_short() }
    } else if FULL.iter().any(|words| said.contains(words)) {
        Error::DiskFull { source: complaint }
    } else {
        Error::Git { action: "check out the commit", source: complaint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(said: &str) -> Error {
        let address = Address::parse("https://example.org/acme/docs").unwrap();
        of_fetch(Complaint::of(said), None, &address)
    }

    #[test]
    fn a_full_disk_is_ours_and_a_server_that_speaks_of_one_is_not() {
        let full = verdict("fatal: write error: No space left on device\nfatal: index-pack failed");
        assert!(full.is_ours() && full.is_about_disk());
        assert!(verdict("git could not be run: No such file or directory (os error 2)").is_ours());
        let forged = verdict("remote: No space left on device\nfatal: the remote end hung up unexpectedly");
        assert!(matches!(&forged, Error::RepositoryUnavailable { .. }), "{forged:?}");
        assert!(!forged.is_ours() && !forged.is_about_disk() && forged.is_retryable());
    }

    #[test]
    fn what_only_the_owner_can_mend_is_final() {
        for said in [
            "fatal: repository 'https://example.org/acme/docs/' not found",
            "fatal: could not read Username for 'https://example.org': terminal prompts disabled",
            "git@example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "Host key verification failed.\nfatal: Could not read from remote repository.",
            "fatal: unable to access 'https://example.org/acme/docs/': Protocol \"http\" disabled",
        ] {
            let error = verdict(said);
            assert!(!error.is_retryable() && !error.is_ours(), "{error:?}");
        }
    }

    #[test]
    fn a_tree_that_fits_in_no_folder_is_the_owners() {
        let error = of_checkout(Complaint::of("error: unable to create file x: File name too long"));
        assert!(!error.is_ours(), "{error:?}");
        assert!(of_checkout(Complaint::of("fatal: unable to write: No space left on device")).is_about_disk());
    }
}
