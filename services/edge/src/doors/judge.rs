//! What becomes of a request at a door. Pure.

use super::{Knock, cookies};
use crate::respond::is_read;
use ::doors::{By, Key, Pass, SHARE, ShareToken, TICKET, Ticket, cookie_name};
use events::LinkId;
use events::access::Mode;
use http::request::Parts;
use uuid::Uuid;

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// Everybody may pass.
    Open,
    /// Whoever asks was let in before.
    Inside,
    /// They have a share link that is good until then, in seconds of Unix time.
    Link(LinkId, i64),
    /// They come back with a ticket of this number.
    Ticket(Uuid),
    /// They have nothing that opens it.
    Closed,
}

/// Whether a request may have a share link or a ticket in its query.
pub(crate) fn has_token(request: &Parts) -> bool {
    [SHARE, TICKET].iter().any(|name| parameter(request, name).is_some())
}

pub(super) fn judge(knock: &Knock<'_>, key: Option<&Key>, now: i64) -> Judged {
    let opened = key.and_then(|key| {
        let fresh = if is_read(knock.request) { token(knock, key, now) } else { None };
        fresh.or_else(|| is_inside(knock, key, now).then_some(Judged::Inside))
    });
    if knock.door.is_former {
        // Where it leads to there is a door of its own; that it leads anywhere is not for everybody.
        let is_hidden = opened.is_none() && knock.door.mode == Mode::Link;
        return if is_hidden { Judged::Closed } else { Judged::Open };
    }
    match opened {
        Some(Judged::Inside) | None if knock.door.mode == Mode::Public => Judged::Open,
        Some(judged) => judged,
        None => Judged::Closed,
    }
}

/// What in the query opens the door.
fn token(knock: &Knock<'_>, key: &Key, now: i64) -> Option<Judged> {
    let (Knock { door, request, .. }, place) = (*knock, knock.place());
    let shared = parameter(request, SHARE).and_then(ShareToken::read).and_then(|token| {
        let link = door.link(token.link, now)?;
        token.is(key, place.site, link).then(|| Judged::Link(link.link, link.expires_at.unix_timestamp()))
    });
    let ticket = || {
        let ticket = Ticket::read(parameter(request, TICKET).filter(|_| door.mode == Mode::Members)?)?;
        ticket.opens(key, &place, now).then_some(Judged::Ticket(ticket.nonce))
    };
    shared.or_else(ticket)
}

/// Whether a cookie says that the door was opened, by what opens it still.
fn is_inside(knock: &Knock<'_>, key: &Key, now: i64) -> bool {
    let (Knock { door, request, .. }, place) = (*knock, knock.place());
    let name = cookie_name(place.site);
    let mut passes = cookies(request).filter(|(called, _)| *called == name).filter_map(|(_, text)| Pass::read(text));
    passes.any(|pass| {
        let by = match (pass.link, door.mode) {
            (Some(link), _) => door.link(link, now).map(|link| By::Link(link.link)),
            (None, Mode::Password) => door.hash.map(By::Password),
            (None, Mode::Members) => Some(By::Ticket),
            (None, Mode::Public | Mode::Link) => None,
        };
        by.is_some_and(|by| pass.opens(key, &place, by, now))
    })
}

/// The value of a parameter of the query, as it stands there.
fn parameter<'r>(request: &'r Parts, name: &str) -> Option<&'r str> {
    let mut pairs = request.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(called, _)| *called == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
