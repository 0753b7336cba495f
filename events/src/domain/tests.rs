//! Whose a name is, and how often its records are looked at.

use super::*;
use crate::aggregate::story::given;

fn site(number: u128) -> SiteId {
    SiteId(Uuid::from_u128(number))
}

fn proof(number: u128) -> Uuid {
    Uuid::from_u128(number << 64)
}

fn add(number: u128) -> Command {
    Command::Add { site: site(number), proof: proof(number), redirect_to: None }
}

fn added(number: u128) -> DomainEvent {
    DomainEvent::Added { site: site(number), proof: proof(number), redirect_to: None }
}

fn look(number: u128, found: Result<(), &str>) -> Command {
    Command::Look { site: site(number), proof: proof(number), found: found.map_err(ToOwned::to_owned) }
}

fn missed(attempt: u32) -> DomainEvent {
    DomainEvent::CheckFailed { site: site(1), attempt, error: "nothing there".to_owned() }
}

fn failed(number: u128) -> DomainEvent {
    DomainEvent::Failed { site: site(number), error: "nothing there".to_owned() }
}

fn verified(number: u128) -> DomainEvent {
    DomainEvent::Verified { site: site(number) }
}

#[test]
fn a_name_has_one_owner() {
    given::<Domain>([]).when(add(1)).then([added(1)]);
    given::<Domain>([added(1)]).when(add(1)).then([]);
    given::<Domain>([added(1)]).when(add(2)).refuses(Refusal::DomainTaken);
    given::<Domain>([added(1), verified(1)]).when(add(2)).refuses(Refusal::DomainTaken);
    given::<Domain>([added(1), DomainEvent::Removed { site: site(1) }]).when(add(2)).then([added(2)]);
}

#[test]
fn who_was_given_up_on_holds_a_name_against_nobody() {
    let removed = DomainEvent::Removed { site: site(1) };
    given::<Domain>([added(1), failed(1)]).when(add(2)).then([removed, added(2)]);
}

#[test]
fn only_whose_it_is_gives_it_up() {
    let remove = |number| Command::Remove { site: site(number) };
    given::<Domain>([added(1)]).when(remove(1)).then([DomainEvent::Removed { site: site(1) }]);
    given::<Domain>([added(1)]).when(remove(2)).refuses(Refusal::DomainNotFound);
    given::<Domain>([]).when(remove(1)).refuses(Refusal::DomainNotFound);
}

#[test]
fn it_is_looked_at_until_it_is_proven_or_given_up() {
    given::<Domain>([added(1)]).when(look(1, Ok(()))).then([verified(1)]);
    given::<Domain>([added(1)]).when(look(1, Err("nothing there"))).then([missed(1)]);
    given::<Domain>([added(1), missed(1)]).when(look(1, Err("nothing there"))).then([missed(2)]);
    let last = ATTEMPTS_MAX - 1;
    given::<Domain>([added(1), missed(last)]).when(look(1, Err("nothing there"))).then([missed(last + 1), failed(1)]);
    given::<Domain>([added(1), failed(1)]).when(look(1, Ok(()))).then([]);
    given::<Domain>([added(1), verified(1)]).when(look(1, Err("nothing there"))).then([]);
}

#[test]
fn asked_for_again_it_is_looked_at_anew_and_keeps_its_proof() {
    let again = DomainEvent::CheckRequested { site: site(1) };
    let other = Command::Add { site: site(1), proof: proof(7), redirect_to: None };
    for before in [failed(1), missed(3)] {
        given::<Domain>([added(1), before]).when(other.clone()).then([again.clone()]);
    }
    given::<Domain>([added(1), failed(1), again]).when(look(1, Ok(()))).then([verified(1)]);
    given::<Domain>([added(1), verified(1)]).when(other).then([]);
}

#[test]
fn what_was_found_for_a_claim_of_before_says_nothing() {
    let again = DomainEvent::Added { site: site(1), proof: proof(9), redirect_to: None };
    let removed = DomainEvent::Removed { site: site(1) };
    given::<Domain>([added(1), removed, again]).when(look(1, Ok(()))).then([]);
    given::<Domain>([added(2)]).when(look(1, Ok(()))).then([]);
}

#[test]
fn where_it_leads_is_changed_by_asking_again() {
    let to: HostName = "example.org".parse().unwrap();
    let command = Command::Add { site: site(1), proof: proof(1), redirect_to: Some(to.clone()) };
    let changed = DomainEvent::Changed { site: site(1), redirect_to: Some(to) };
    given::<Domain>([added(1), verified(1)]).when(command.clone()).then([changed.clone()]);
    given::<Domain>([added(1), verified(1), changed.clone()]).when(command.clone()).then([]);
    let again = DomainEvent::CheckRequested { site: site(1) };
    given::<Domain>([added(1), failed(1)]).when(command).then([changed, again]);
}

#[test]
fn pauses_grow_with_the_wait_and_end_after_three_days() {
    let pauses: Vec<u64> = (1..8).map(|attempts| pause(attempts).as_secs()).collect();
    assert_eq!(pauses, [2, 3, 4, 6, 10, 15, 22]);
    let all: Duration = (1..ATTEMPTS_MAX).map(pause).sum();
    let days = all.as_secs() / (24 * 60 * 60);
    assert_eq!(days, 3, "{all:?}");
}

fn order() -> Command {
    Command::Order { site: site(1), responder: "thumbprint".to_owned() }
}

fn ordered(attempt: u32) -> DomainEvent {
    DomainEvent::CertificateOrdered { site: site(1), attempt, responder: "thumbprint".to_owned() }
}

fn certified() -> Certified {
    Certified {
        site: site(1),
        chain: "a certificate".to_owned(),
        key: crate::Sealed::of(b"its key"),
        expires_at: OffsetDateTime::UNIX_EPOCH + Duration::from_secs(90),
        renew_at: OffsetDateTime::UNIX_EPOCH + Duration::from_secs(60),
    }
}

fn issued() -> DomainEvent {
    DomainEvent::CertificateIssued(certified())
}

fn receive(given: Result<Certified, &str>) -> Command {
    Command::Receive { site: site(1), given: given.map(Box::new).map_err(ToOwned::to_owned) }
}

fn unissued(attempt: u32) -> DomainEvent {
    DomainEvent::CertificateFailed { site: site(1), attempt, error: "nothing there".to_owned() }
}

#[test]
fn a_certificate_is_asked_for_once_a_name_is_proven_and_again_before_it_ends() {
    given::<Domain>([added(1)]).when(order()).then([]);
    given::<Domain>([added(1), verified(1)]).when(order()).then([ordered(1)]);
    given::<Domain>([added(1), verified(1), ordered(1)]).when(receive(Ok(certified()))).then([issued()]);
    given::<Domain>([added(1), verified(1), ordered(1), issued()]).when(order()).then([ordered(1)]);
    given::<Domain>([added(1), verified(1)]).when(receive(Ok(certified()))).then([]);
    given::<Domain>([added(2), verified(2)]).when(order()).then([]);
}

#[test]
fn a_certificate_is_asked_for_so_many_times_and_then_when_somebody_says_so() {
    let nothing = || receive(Err("nothing there"));
    given::<Domain>([added(1), verified(1), ordered(1)]).when(nothing()).then([unissued(1)]);
    given::<Domain>([added(1), verified(1), ordered(1), unissued(1)]).when(order()).then([ordered(2)]);
    let last = [added(1), verified(1), ordered(ORDERS_MAX)];
    given::<Domain>(last).when(nothing()).then([unissued(ORDERS_MAX), failed(1)]);
    let given_up = || [added(1), verified(1), ordered(ORDERS_MAX), unissued(ORDERS_MAX), failed(1)];
    given::<Domain>(given_up()).when(order()).then([]);
    given::<Domain>(given_up()).when(add(2)).refuses(Refusal::DomainTaken);
    let again = DomainEvent::CheckRequested { site: site(1) };
    given::<Domain>(given_up()).when(add(1)).then([again.clone()]);
    let asked = [added(1), verified(1), ordered(ORDERS_MAX), unissued(ORDERS_MAX), failed(1), again];
    given::<Domain>(asked).when(order()).then([ordered(1)]);
}

#[test]
fn a_certificate_that_is_there_is_renewed_for_longer_than_it_is_good() {
    let nothing = receive(Err("nothing there"));
    let renewing = |attempt| [added(1), verified(1), ordered(1), issued(), ordered(attempt)];
    given::<Domain>(renewing(ORDERS_MAX)).when(nothing.clone()).then([unissued(ORDERS_MAX)]);
    given::<Domain>(renewing(RENEWALS_MAX)).when(nothing).then([unissued(RENEWALS_MAX), failed(1)]);
    let days = (1..RENEWALS_MAX).map(certificate_pause).sum::<Duration>().as_secs() / (24 * 60 * 60);
    assert!(days > 30, "a third of 90 days has passed after {days} days");
}

#[test]
fn pauses_between_orders_respect_what_authorities_count() {
    let pauses: Vec<u64> = (1..7).map(|attempts| certificate_pause(attempts).as_secs()).collect();
    assert_eq!(pauses, [5, 60, 120, 240, 480, 960]);
    let all: Duration = (1..ORDERS_MAX).map(certificate_pause).sum();
    assert_eq!(all.as_secs() / 3600, 17);
}
