//! What the edge proves itself by, for each name that readers ask for.
//!
//! Domains have theirs from the log, sealed with the key of edges. An operator's certificates are files in a folder, which is looked at again and again: whoever renews one replaces its file. A
//! name that no certificate is for is not answered at all.

use crate::fold::InService;
use crate::routes::Certificate;
use arc_swap::ArcSwap;
use listener::Tls;
use runtime::clock;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use webpki::EndEntityCert;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// All certificates that the edge has.
pub(crate) struct Certificates {
    folder: Option<PathBuf>,
    files: ArcSwap<Vec<Held>>,
    /// Domains have theirs in the table.
    table: InService,
    /// What opens their keys.
    key: Option<::doors::Key>,
    /// Those that were opened, and what they were made of.
    opened: Mutex<BTreeMap<String, Opened>>,
}

/// What came of opening the certificate of a domain.
struct Opened {
    of: Arc<Certificate>,
    key: Option<Arc<CertifiedKey>>,
}

/// A certificate with its key.
struct Held {
    /// What it is for: names, and `*.` before names.
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

impl Certificates {
    /// Those in a folder, as far as they can be read now.
    pub(crate) fn of(folder: Option<&Path>, table: InService, key: Option<::doors::Key>) -> Arc<Self> {
        let files = ArcSwap::from_pointee(folder.map(read).unwrap_or_default());
        Arc::new(Self { folder: folder.map(Path::to_owned), files, table, key, opened: Mutex::default() })
    }

    /// How a listener speaks TLS by them.
    pub(crate) fn tls(self: &Arc<Self>) -> Result<Tls, rustls::Error> {
        Tls::new(Arc::clone(self) as Arc<dyn ResolvesServerCert>)
    }

    /// Whether there is one for a name, which is given in lower case.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.load().iter().any(|held| held.is_for(name)) || self.own(name).is_some()
    }

    /// Reads the folder again and again, for ever.
    pub(crate) async fn watch(&self) {
        let Some(folder) = &self.folder else { return std::future::pending().await };
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let folder = folder.clone();
            if let Ok(files) = tokio::task::spawn_blocking(move || read(&folder)).await {
                self.files.store(Arc::new(files));
            }
        }
    }

    fn key(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let of_file = self.files.load().iter().find(|held| held.is_for(name)).map(|held| Arc::clone(&held.key));
        of_file.or_else(|| self.own(name))
    }

    /// The certificate of a domain, opened once, as long as it is good.
    fn own(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let (table, key) = (self.table.load(), self.key.as_ref()?);
        let present = table.as_ref()?.routes.certificate(name)?;
        if present.expires_s <= clock::now().unix_timestamp() {
            return None;
        }
        let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = all.get(name).filter(|opened| Arc::ptr_eq(&opened.of, present)) {
            return opened.key.clone();
        }
        let opened = opened(key, name, present);
        if let Err(error) = &opened {
            tracing::error!(error = &**error as &dyn std::error::Error, name, "a certificate cannot be used");
        }
        let key = opened.ok();
        all.insert(name.to_owned(), Opened { of: Arc::clone(present), key: key.clone() });
        key
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.key(&hello.server_name()?.to_ascii_lowercase())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

impl Held {
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Failure> {
        let leaf = chain.first().ok_or("it has no certificate")?;
        let certificate = EndEntityCert::try_from(leaf)?;
        let names = certificate.valid_dns_names().map(str::to_ascii_lowercase).collect();
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider())?;
        Ok(Self { names, key: Arc::new(key) })
    }

    /// A star stands for one label, the first.
    fn is_for(&self, name: &str) -> bool {
        let below = name.split_once('.').map(|(_, below)| below);
        self.names
            .iter()
            .any(|known| known == name || known.strip_prefix("*.").is_some_and(|known| Some(known) == below))
    }
}

fn opened(key: &::doors::Key, name: &str, certificate: &Certificate) -> Result<Arc<CertifiedKey>, Failure> {
    let own = key.open(name, &certificate.key).ok_or("its key was sealed with another")?;
    let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes()).collect::<Result<_, _>>()?;
    Ok(Held::new(chain, PrivateKeyDer::from_pem_slice(own.as_bytes())?)?.key)
}

/// The certificates in a folder: the chain in `NAME.pem`, its key there too or in `NAME.key`. One that cannot be read is passed over.
fn read(folder: &Path) -> Vec<Held> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::error!(%error, folder = %folder.display(), "the folder of certificates cannot be read");
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pem"));
    paths.sort();
    let held = paths.iter().filter_map(|path| {
        let held = held(path);
        held.inspect_err(|error| tracing::error!(%error, file = %path.display(), "a certificate cannot be used")).ok()
    });
    held.collect()
}

fn held(path: &Path) -> Result<Held, Failure> {
    let chain = CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>()?;
    let beside = path.with_extension("key");
    let key = PrivateKeyDer::from_pem_file(if beside.is_file() { &beside } else { path })?;
    Held::new(chain, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, names: &[&str]) {
        let made =
            rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        std::fs::write(folder.join(format!("{file}.pem")), made.cert.pem()).unwrap();
        std::fs::write(folder.join(format!("{file}.key")), made.signing_key.serialize_pem()).unwrap();
    }

    #[test]
    fn a_certificate_is_for_its_names_and_a_star_is_one_label() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "sites", &["*.pages.test", "pages.test"]);
        write(folder.path(), "one", &["www.example"]);
        std::fs::write(folder.path().join("broken.pem"), "nothing").unwrap();
        let certificates = Certificates::of(Some(folder.path()), InService::default(), None);
        for (name, expected) in [
            ("docs.pages.test", true),
            ("pages.test", true),
            ("www.example", true),
            ("a.docs.pages.test", false),
            ("example", false),
            ("otherpages.test", false),
            ("", false),
        ] {
            assert_eq!(certificates.has(name), expected, "{name}");
            assert_eq!(certificates.key(name).is_some(), expected, "{name}");
        }
        assert!(!Certificates::of(None, InService::default(), None).has("www.example"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_is_read_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::of(Some(folder.path()), InService::default(), None);
        let watched = Arc::clone(&certificates);
        let watching = tokio::spawn(async move { watched.watch().await });
        write(folder.path(), "late", &["late.example"]);
        while !certificates.has("late.example") {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        watching.abort();
    }

    #[test]
    fn a_key_that_is_not_of_its_certificate_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", &["a.example"]);
        write(folder.path(), "b", &["b.example"]);
        std::fs::copy(folder.path().join("a.key"), folder.path().join("b.key")).unwrap();
        let certificates = Certificates::of(Some(folder.path()), InService::default(), None);
        assert_eq!((certificates.has("a.example"), certificates.has("b.example")), (true, false));
    }
}
