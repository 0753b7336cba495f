//! What records have to say.

use super::*;
use events::SiteId;
use events::domain::Stage;
use uuid::Uuid;

fn judged(found: &Found, addresses: &[&str]) -> Result<(), String> {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let wanted = Wanted { host: "docs.pages.test".to_owned(), domain: "pages.test".to_owned(), addresses };
    let stage = Stage::Pending { attempts: 0 };
    let claim =
        Claim { site: SiteId(Uuid::nil()), proof: Uuid::from_u128(7), redirect_to: None, stage, expires_at: None };
    judge(&"www.example".parse().unwrap(), &claim, found, &wanted)
}

fn found(texts: &[&str], names: &[&str], addresses: &[&str]) -> Found {
    Found {
        texts: texts.iter().map(ToString::to_string).collect(),
        names: names.iter().map(ToString::to_string).collect(),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    }
}

const PROOF: &str = "pagefold=00000000000000000000000000000007";

#[test]
fn a_name_is_proven_by_a_text_and_leads_here_by_a_name_or_by_addresses() {
    let ours = ["192.0.2.1", "2001:db8::1"];
    for found in [
        found(&[PROOF], &["docs.pages.test"], &[]),
        found(&["v=spf1 -all", PROOF], &["docs.pages.test"], &["203.0.113.9"]),
        found(&[PROOF], &["pages.test"], &[]),
        found(&[PROOF], &["cdn.example", "docs.pages.test"], &[]),
        found(&[PROOF], &[], &["192.0.2.1"]),
        found(&[PROOF], &[], &["192.0.2.1", "2001:db8::1"]),
        found(&[PROOF], &["elsewhere.example"], &["192.0.2.1"]),
    ] {
        assert_eq!(judged(&found, &ours), Ok(()), "{found:?}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (found, expected) in [
        (found(&[], &["docs.pages.test"], &[]), "there is no TXT record at `_pagefold.www.example`"),
        (found(&["pagefold=1"], &["docs.pages.test"], &[]), "says `pagefold=1`, and not `pagefold=0000"),
        (found(&[PROOF], &[], &[]), "`www.example` leads nowhere"),
        (
            found(&[PROOF], &["docs.otherpages.test"], &[]),
            "leads to `docs.otherpages.test`, and not to `docs.pages.test`",
        ),
        (found(&[PROOF], &[], &["203.0.113.9"]), "leads to `203.0.113.9`, and not to `192.0.2.1`"),
        (found(&[PROOF], &[], &["192.0.2.1", "203.0.113.9"]), "leads to `192.0.2.1`, `203.0.113.9`, and not to"),
    ] {
        let said = judged(&found, &["192.0.2.1"]).unwrap_err();
        assert!(said.contains(expected), "{said}");
    }
    let said = judged(&found(&[PROOF], &[], &["203.0.113.9"]), &[]).unwrap_err();
    assert!(said.ends_with("and not to where `docs.pages.test` leads"), "{said}");
}
