//! What a resolver knows of a name.

use crate::check::Found;
use events::domain::proof_name;
use events::routing::HostName;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long it is waited for an answer, and how often it is asked for.
const PATIENCE: Duration = Duration::from_secs(3);
const TRIES: usize = 2;
/// Names that lead to others, one after another, as far as that is followed.
const NAMES_MAX: usize = 8;

/// A resolver that remembers nothing: what was not there a moment ago is what people are waiting for.
pub(crate) struct Names {
    resolver: TokioResolver,
}

impl Names {
    /// The resolver at an address, or those of the machine as they are configured now.
    pub(crate) fn new(address: Option<SocketAddr>) -> Result<Self, NetError> {
        let mut builder = match address {
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                server.connections.iter_mut().for_each(|connection| connection.port = address.port());
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        (options.cache_size, options.timeout, options.attempts) = (0, PATIENCE, TRIES);
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self { resolver: builder.build()? })
    }

    /// All that is looked for of a name.
    pub(crate) async fn look(&self, name: &HostName) -> Result<Found, String> {
        let text = |record| {
            let RData::TXT(text) = record else { return None };
            Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned())
        };
        let texts = self.records(&proof_name(name), RecordType::TXT).await?.into_iter().filter_map(text).collect();
        let names = self.names(name.as_str()).await?;
        // A name that leads to a host of ours needs no address for this.
        let addresses = self
            .addresses(name.as_str())
            .await
            .or_else(|error| if names.is_empty() { Err(error) } else { Ok(BTreeSet::new()) })?;
        Ok(Found { texts, names, addresses })
    }

    /// Where a name leads in the end.
    pub(crate) async fn addresses(&self, name: &str) -> Result<BTreeSet<IpAddr>, String> {
        let (v4, v6) = tokio::join!(self.records(name, RecordType::A), self.records(name, RecordType::AAAA));
        let address = |record| {
            if let RData::A(address) = record {
                return Some(IpAddr::from(address.0));
            }
            let RData::AAAA(address) = record else { return None };
            Some(IpAddr::from(address.0))
        };
        Ok(v4?.into_iter().chain(v6?).filter_map(address).collect())
    }

    /// The names that a name leads to, one after another.
    async fn names(&self, name: &str) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = Vec::new();
        while names.len() < NAMES_MAX {
            let from = names.last().map_or(name, String::as_str);
            let records = self.records(from, RecordType::CNAME).await?;
            let next = records.into_iter().find_map(|record| {
                let RData::CNAME(to) = record else { return None };
                Some(to.0.to_ascii().trim_end_matches('.').to_ascii_lowercase())
            });
            match next {
                Some(next) if !names.contains(&next) => names.push(next),
                Some(_) | None => break,
            }
        }
        Ok(names)
    }

    async fn records(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, String> {
        match self.resolver.lookup(format!("{name}."), kind).await {
            Ok(found) => Ok(found.answers().iter().map(|record| record.data.clone()).collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(format!("the {kind} records of `{name}` cannot be read: {error}")),
        }
    }
}
