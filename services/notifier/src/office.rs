//! Tells receivers what they shall be told, each in the way of its kind.

use crate::config::Config;
use crate::desk::Job;
use crate::news::News;
use crate::tried::{Tried, Why};
use crate::{cdevents, hub, mail, slack, webhook};
use dialer::Http;
use events::event::Reception;
use events::receiver::{Kind, Known, Occasion};
use events::{NoticeId, Receivers, Recorded, Sealed};
use runtime::{Error, Log, Owner, OwnerKey, Vault};

/// Who asks.
const AGENT: &str = "pagefold-notifier";

/// What telling takes.
pub(crate) struct Office {
    pub(crate) log: Log,
    pub(crate) config: Config,
    vault: Vault,
    http: Http,
}

/// Where a receiver is told and what it believes, as it is sealed in the log.
struct Opened {
    address: String,
    secret: String,
}

impl Office {
    pub(crate) fn new(log: Log, config: Config) -> Self {
        let vault = Vault::new(log.connection(), &config.key);
        let http = Http::new(config.dialer.clone(), AGENT);
        Self { log, config, vault, http }
    }

    /// Tells a receiver of a fact, as the receiver is now. None if there is no such receiver any more, or nothing to tell.
    pub(crate) async fn tell(&self, job: &Job, fact: &Recorded) -> Result<Option<(Kind, Tried)>, Error> {
        let receivers = self.log.load::<Receivers>(&job.site.to_string()).await?.state;
        let Ok(Known { reception, .. }) = receivers.known(job.receiver) else { return Ok(None) };
        let Some(occasion) = Occasion::of(&fact.event) else { return Ok(None) };
        let notice = NoticeId::of(job.receiver, fact);
        let Some(news) = News::of(fact, notice, occasion, &self.log, &self.config).await? else { return Ok(None) };
        let tried = match self.vault.key(Owner::Site(job.site)).await?.and_then(|key| opened(&key, reception)) {
            Some(opened) => self.send(reception.kind, &opened, &news).await,
            None => Tried::Never(Why::said("its address cannot be read any more")),
        };
        Ok(Some((reception.kind, tried)))
    }

    async fn send(&self, kind: Kind, Opened { address, secret }: &Opened, news: &News) -> Tried {
        let sending = async {
            match kind {
                Kind::Webhook => webhook::send(&self.http, address, secret, news).await,
                Kind::Github => hub::send(&self.http, self.config.github.as_ref(), address, secret, news).await,
                Kind::Cdevents => cdevents::send(&self.http, address, secret, news).await,
                Kind::Slack => slack::send(&self.http, address, news).await,
                Kind::Email => mail::send(self.config.mailer.as_ref(), address, news).await,
            }
        };
        let late = |_| Tried::Later(Why::said("it did not answer in time"));
        tokio::time::timeout(self.config.timing.try_max, sending).await.unwrap_or_else(late)
    }
}

fn opened(key: &OwnerKey, reception: &Reception) -> Option<Opened> {
    let open = |sealed: &Sealed| key.open(sealed);
    let secret = match &reception.secret {
        Some(sealed) => open(sealed)?,
        None => String::new(),
    };
    Some(Opened { address: open(&reception.address)?, secret })
}
