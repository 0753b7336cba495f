//! What git's words mean: whose fault a failed fetch is, and the sentence that says so.

use super::address::{Address, Scheme};
use super::complaint::Complaint;
use super::{Credentials, Error};
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
const MISSING: [&str; 6] = [
    "ERROR: Repository not found",
    "detected dubious ownership in repository",
    "' not found",
    "does not appear to be a git repository",
    "The requested URL returned error: 404",
    "The requested URL returned error: 410",
];
/// SSH has noted another key of the host.
const ANOTHER_HOST: [&str; 1] = ["REMOTE HOST IDENTIFICATION HAS CHANGED"];
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

/// What was asked for, and by whose key or token.
pub(super) struct Asked<'a> {
    address: &'a Address,
    key: bool,
    token: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn of(address: &'a Address, credentials: &Credentials) -> Self {
        let scheme: Scheme = address.scheme;
        let (key, token) = (credentials.key_for(scheme).is_some(), credentials.login_for(scheme).is_some());
        Self { address, key, token }
    }

    /// Whoever may not read a repository is told by many hosts that there is none.
    fn refused(&self, otherwise: impl FnOnce(String) -> Error) -> Error {
        let address = self.address.to_string();
        if self.key {
            Error::KeyRefused { address }
        } else if self.token {
            Error::TokenRefused { address }
        } else {
            otherwise(address)
        }
    }
}

/// Why a fetch has failed.
pub(super) fn of_fetch(complaint: Complaint, unreached: Option<Unreached>, asked: Asked<'_>) -> Error {
    let address = asked.address;
    let said = complaint.own_words();
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let shown = address.to_string();
    if let Some(why) = unreached {
        Error::unreached(address, why)
    } else if says(&FULL) {
        Error::DiskFull { source: complaint }
    } else if says(&OURS) {
        Error::Git { action: "fetch the source", source: complaint }
    } else if says(&ANOTHER_HOST) {
        Error::HostKeyChanged { address: shown }
    } else if says(&REFUSED) {
        asked.refused(|address| Error::AccessRefused { address })
    } else if says(&MISSING) {
        asked.refused(|address| Error::RepositoryNotFound { address })
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
        of_fetch(Complaint::of(said), None, Asked::of(&address, &Credentials::default()))
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
    fn a_refusal_names_what_was_refused_and_what_helps() {
        let credentials = Credentials { key: Some("PRIVATE".to_owned().into()), login: None };
        let denied = "git@example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.";
        let hidden = "ERROR: Repository not found.\nfatal: Could not read from remote repository.";
        let address = Address::parse("git@example.org:acme/docs").unwrap();
        for said in [denied, hidden] {
            let refused = of_fetch(Complaint::of(said), None, Asked::of(&address, &credentials));
            assert!(matches!(refused, Error::KeyRefused { .. }) && refused.hint().is_some(), "{refused:?}");
        }
        let none = of_fetch(Complaint::of(denied), None, Asked::of(&address, &Credentials::default()));
        assert!(matches!(none, Error::AccessRefused { .. }) && none.hint().is_some(), "{none:?}");
        let changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.";
        assert!(matches!(verdict(changed), Error::HostKeyChanged { .. }));
    }

    #[test]
    fn a_tree_that_fits_in_no_folder_is_the_owners() {
        let error = of_checkout(Complaint::of("error: unable to create file x: File name too long"));
        assert!(!error.is_ours(), "{error:?}");
        assert!(of_checkout(Complaint::of("fatal: unable to write: No space left on device")).is_about_disk());
    }
}
