//! What all handlers share.

use crate::auth::Auth;
use crate::bodies::Bodies;
use crate::budget::Budget;
use crate::config::Config;
use crate::domains::Edges;
use crate::guesses::Guesses;
use crate::hub::Hub;
use crate::keys::Key;
use crate::looks::Looks;
use crate::news::News;
use crate::pace::Pace;
use crate::repositories::Repositories;
use crate::sessions::Sessions;
use crate::sign_in::Providers;
use crate::slots::Slots;
use crate::source_check::SourceChecks;
use crate::tail::Tails;
use crate::urls;
use crate::uses::Uses;
use dialer::Dialer;
use events::address::Allowed;
use events::{OrganizationId, SiteId, SitesUrl};
use listener::Limits;
use mailer::Mailer;
use projections::Model;
use runtime::attendance::Attendance;
use runtime::records::Records;
use runtime::{Health, Log, Vault};
use secrecy::SecretString;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use storage::Storage;
use storage::folder::FILE_BYTES_MAX;
use tokio_util::sync::CancellationToken;

/// What uploads that arrive may take of the disk together, in bytes, and one of them.
const UPLOADS: usize = 1 << 30;
const UPLOAD_MAX: usize = FILE_BYTES_MAX as usize;

/// What the server stands on.
pub(crate) struct Around {
    pub(crate) log: Log,
    pub(crate) read_model: projections::Store,
    /// Where archived logs of builds are, and what is stored of sites.
    pub(crate) storage: Storage,
    pub(crate) health: Health,
}

/// The state of every handler.
pub(crate) type Shared = Arc<App>;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) log: Log,
    /// What live views are told of it.
    pub(crate) news: News,
    pub(crate) model: Model,
    /// What is stored of sites.
    pub(crate) storage: Storage,
    pub(crate) health: Health,
    /// Which processes of the installation are there.
    pub(crate) attendance: Attendance,
    pub(crate) auth: Auth,
    /// Who vouches for people.
    pub(crate) providers: Providers,
    /// GitHub, if people may connect their accounts of it.
    pub(crate) hub: Option<Hub>,
    /// What invitations are sent by, if mail is sent here.
    pub(crate) mailer: Option<Mailer>,
    /// The installation's key.
    pub(crate) key: Key,
    /// How often callers ask.
    pub(crate) pace: Pace,
    /// When tokens were last used.
    pub(crate) uses: Arc<Uses>,
    /// Links that sign somebody in once.
    pub(crate) links: Records,
    /// What was asked with a key, and answered.
    pub(crate) requests: Records,
    /// What people are called can be read with its keys.
    pub(crate) vault: Vault,
    /// What builds of sites are given can be read with its keys, by launchers too.
    pub(crate) build_secrets: Vault,
    /// What opens closed sites.
    pub(crate) doors: doors::Key,
    /// The server's own public address.
    pub(crate) web_url: String,
    /// Whose sites are, as far as somebody asked: a site stays with its organization.
    pub(crate) owners: Mutex<HashMap<SiteId, OrganizationId>>,
    /// Whose turn it is to count the sites of an organization that may not have any number.
    pub(crate) new_sites: tokio::sync::Mutex<()>,
    pub(crate) github_webhook_secret: SecretString,
    /// Who has presented wrong signatures of webhooks.
    pub(crate) guessed_signatures: Guesses,
    /// Which webhooks are looked at, whether anybody waits for them.
    pub(crate) looks: Looks,
    /// From where webhooks were refused, as far as that is noted for people.
    pub(crate) refused_deliveries: Guesses,
    pub(crate) sites_url: SitesUrl,
    /// Where the edges answer, as far as an operator has said it.
    pub(crate) edge_addresses: Vec<IpAddr>,
    /// Where repositories may be.
    pub(crate) repositories: Allowed,
    /// How they are looked at before there is a site.
    pub(crate) source_checks: SourceChecks,
    /// Where receivers of notices may be.
    pub(crate) receivers: Allowed,
    /// Where the servers behind routes may be.
    pub(crate) backends: Dialer,
    /// The repositories that are kept here, and what a launcher reads them by.
    pub(crate) own: Repositories,
    pub(crate) repositories_token: Option<SecretString>,
    /// Where repositories send their webhooks.
    pub(crate) webhook_url: String,
    pub(crate) streams: Slots,
    /// The logs of builds.
    pub(crate) tails: Tails,
    /// What commands and forms may take together.
    pub(crate) bodies: Budget,
    /// The same for what is uploaded, which lies on the disk.
    pub(crate) uploads: Bodies,
    /// The same for webhooks: whoever sends false ones keeps nobody from commanding.
    pub(crate) deliveries: Budget,
    /// Where long ones of them lie while they arrive.
    pub(crate) spool: Arc<Path>,
    pub(crate) stop: CancellationToken,
}

impl App {
    /// Where the repository of a site sends webhooks.
    pub(crate) fn webhook_url_for(&self, site: SiteId, has_own_secret: bool) -> String {
        if has_own_secret { self.webhook_url_of(site) } else { self.webhook_url.clone() }
    }

    /// Where what is signed with a site's own secret is sent. It is taken there however many wrong signatures come from the same
    /// address, as from a host of repositories that all its users share.
    pub(crate) fn webhook_url_of(&self, site: SiteId) -> String {
        format!("{}/{site}", self.webhook_url)
    }

    /// How names lead to the edges.
    pub(crate) fn edges(&self) -> Edges<'_> {
        Edges { sites: &self.sites_url, addresses: &self.edge_addresses }
    }

    pub(crate) fn new(config: &Config, around: Around, limits: &Limits, stop: CancellationToken) -> Shared {
        let Around { log, read_model, storage, health } = around;
        let sessions = Sessions::new(&log);
        let key = Key::new(config.key.clone());
        let links = Records::sessions(log.connection());
        let requests = Records::requests(log.connection());
        let vault = Vault::new(log.connection(), &key.vault());
        let build_secrets = Vault::new(log.connection(), &key.of_builds());
        let doors = doors::Key::new(key.of_doors());
        let auth = Auth::new(&config.tokens, &key, sessions);
        let uses = Uses::new(&log);
        let news = News::start(log.clone(), stop.clone());
        let web_url = config.web_url.trim_end_matches('/').to_owned();
        Arc::new(Self {
            attendance: Attendance::listen(log.connection(), stop.clone()),
            tails: Tails::new(log.clone(), storage.platform(), news.clone(), stop.clone()),
            news,
            log,
            model: read_model.live(),
            storage,
            health,
            auth,
            providers: Providers::new(&config.sign_in, &web_url),
            hub: config.sign_in.github.clone().map(Hub::new),
            mailer: config.mailer.clone(),
            key,
            pace: Pace::default(),
            uses,
            requests,
            links,
            vault,
            build_secrets,
            doors,
            webhook_url: format!("{web_url}{}", urls::WEBHOOK_PATH),
            web_url,
            owners: Mutex::default(),
            new_sites: tokio::sync::Mutex::default(),
            guessed_signatures: Guesses::default(),
            refused_deliveries: Guesses::default(),
            looks: Looks::default(),
            github_webhook_secret: config.github_webhook_secret.clone(),
            sites_url: config.sites_url.clone(),
            edge_addresses: config.edge_addresses.clone(),
            repositories: config.repositories.clone(),
            source_checks: SourceChecks::new(
                Dialer { allowed: config.repositories.clone(), own: config.closed.clone() },
                config.spool.clone(),
            ),
            receivers: config.receivers.clone(),
            backends: Dialer { allowed: config.backends.clone(), own: config.closed.clone() },
            own: Repositories::new(config.own_repositories.clone()),
            repositories_token: config.repositories_token.clone(),
            streams: Slots::default(),
            bodies: Budget::new(limits.per_address),
            uploads: Bodies { budget: Budget::of(UPLOADS, limits.per_address), max: UPLOAD_MAX },
            deliveries: Budget::new(limits.per_address),
            spool: config.spool.as_path().into(),
            stop,
        })
    }
}
