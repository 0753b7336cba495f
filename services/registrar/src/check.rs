//! Whether the records of a name say whose it is, and that it leads here. Pure.

use events::domain::{Claim, proof_name, proof_text};
use events::routing::HostName;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What the records of a name say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// What stands where its proof is looked for.
    pub(crate) texts: Vec<String>,
    /// The names that it leads to, one after another.
    pub(crate) names: Vec<String>,
    /// Where it leads in the end.
    pub(crate) addresses: BTreeSet<IpAddr>,
}

/// Where a name has to lead: to the site's own host or another host of the sites, or to nothing but these addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The site's own host.
    pub(crate) host: String,
    /// The domain below which all hosts of sites are, in lower case.
    pub(crate) domain: String,
    pub(crate) addresses: BTreeSet<IpAddr>,
}

/// What is wrong with the records of a name, if anything is. They have to prove it before they lead here: whoever has the name
/// sets both.
pub(crate) fn judge(name: &HostName, claim: &Claim, found: &Found, wanted: &Wanted) -> Result<(), String> {
    let (place, proof) = (proof_name(name), proof_text(claim.proof));
    if found.texts.is_empty() {
        return Err(format!("there is no TXT record at `{place}`"));
    }
    if !found.texts.contains(&proof) {
        return Err(format!("the TXT record at `{place}` says {}, and not `{proof}`", quoted(&found.texts)));
    }
    if found.names.iter().any(|name| is_at_or_below(name, &wanted.domain)) {
        return Ok(());
    }
    let Wanted { host, addresses, .. } = wanted;
    match (found.names.is_empty(), found.addresses.is_empty()) {
        (_, false) if found.addresses.is_subset(addresses) => Ok(()),
        (true, true) => Err(format!("`{name}` leads nowhere: it has neither a CNAME record nor an address")),
        (false, _) => Err(format!("`{name}` leads to {}, and not to `{host}`", quoted(&found.names))),
        (true, false) => {
            let here = if addresses.is_empty() { format!("where `{host}` leads") } else { quoted(addresses) };
            Err(format!("`{name}` leads to {}, and not to {here}", quoted(&found.addresses)))
        }
    }
}

fn is_at_or_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The first of them, as words.
fn quoted<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    /// More would be no sentence.
    const TOLD: usize = 4;
    /// Longest of them, in characters.
    const LONGEST: usize = 100;
    let short = |one: T| format!("`{}`", one.to_string().chars().take(LONGEST).collect::<String>().escape_debug());
    all.into_iter().take(TOLD).map(short).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
