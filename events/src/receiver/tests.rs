use super::*;
use crate::aggregate::story::given;
use crate::{Sealed, SiteId};
use uuid::Uuid;

fn reception(number: u128) -> Reception {
    Reception {
        receiver: ReceiverId(Uuid::from_u128(number)),
        kind: Kind::Webhook,
        name: "Team".parse().unwrap(),
        wants: BTreeSet::from([Occasion::BuildFailed]),
        address: Sealed::of(&[7; 50]),
        secret: None,
    }
}

fn created(number: u128) -> ReceiverEvent {
    ReceiverEvent::Created(reception(number))
}

#[test]
fn a_receiver_is_made_once_changed_as_it_was_seen_and_removed_for_good() {
    let (id, removed) = (reception(1).receiver, ReceiverEvent::Removed { receiver: reception(1).receiver });
    given::<Receivers>([]).when(Command::Create(reception(1))).then([created(1)]);
    given::<Receivers>([created(1)]).when(Command::Create(reception(1))).refuses(Refusal::ReceiverExists);
    let other = || Reception { wants: BTreeSet::from([Occasion::Promoted]), ..reception(1) };
    let change = |seen| Command::Change { reception: other(), seen };
    given::<Receivers>([created(1)]).when(change(1)).then([ReceiverEvent::Changed(other())]);
    let changed = || [created(1), ReceiverEvent::Changed(other())];
    given::<Receivers>(changed()).when(change(2)).then([]);
    given::<Receivers>(changed()).when(change(1)).refuses(Refusal::ReceiverChanged { seen: 1, version: 2 });
    given::<Receivers>(changed()).when(Command::Test(id)).then([ReceiverEvent::Tested { receiver: id }]);
    given::<Receivers>([created(1)]).when(Command::Remove(id)).then([removed.clone()]);
    let gone = || [created(1), removed.clone()];
    given::<Receivers>(gone()).when(Command::Remove(id)).then([]);
    given::<Receivers>(gone()).when(Command::Create(reception(1))).refuses(Refusal::ReceiverExists);
    for command in [Command::Test(id), change(1)] {
        given::<Receivers>(gone()).when(command).refuses(Refusal::ReceiverNotFound);
    }
    given::<Receivers>([]).when(Command::Remove(id)).refuses(Refusal::ReceiverNotFound);
}

#[test]
fn a_site_has_so_many_receivers_and_no_more() {
    let full = || (0..RECEIVERS_MAX as u128).map(created);
    given::<Receivers>(full()).when(Command::Create(reception(99))).refuses(Refusal::TooManyReceivers);
    let removed = ReceiverEvent::Removed { receiver: reception(0).receiver };
    given::<Receivers>(full().chain([removed])).when(Command::Create(reception(99))).then([created(99)]);
}

#[test]
fn a_site_that_is_locked_is_told_of_once() {
    let lock = |alias| AliasEvent::Locked { site: SiteId(Uuid::nil()), alias, reason: "audit".to_owned() };
    assert_eq!(Occasion::of(&lock(AliasName::Live).into()), Some(Occasion::Locked));
    assert_eq!(Occasion::of(&lock(AliasName::Demo).into()), None);
}

#[test]
fn every_word_is_the_one_that_facts_have() {
    for occasion in Occasion::WANTED {
        assert_eq!(serde_variant::to_variant_name(&occasion).unwrap(), occasion.as_str());
    }
    for kind in Kind::ALL {
        assert_eq!(serde_variant::to_variant_name(&kind).unwrap(), kind.as_str());
    }
}

#[test]
fn a_name_is_one_line() {
    for good in ["Team", "Équipe web #1", &"x".repeat(60)] {
        assert!(good.parse::<ReceiverName>().is_ok(), "{good}");
    }
    for bad in ["", " Team", "two\nlines", &"x".repeat(61)] {
        assert!(bad.parse::<ReceiverName>().is_err(), "{bad}");
    }
}
