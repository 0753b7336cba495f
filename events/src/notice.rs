//! A notice: what one receiver is told of one fact, and whether that has arrived.

use crate::event::Noticed;
use crate::{Aggregate, Event, NoticeEvent, Refusal};

/// The state of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Notice {
    /// It was not sent, or is still being sent for the first time.
    #[default]
    Unknown,
    /// It arrived or failed, and this came of it.
    Settled(Noticed),
    /// It is to be sent once more.
    Requested(Noticed),
}

/// What may be asked of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take note of what became of it.
    Settle {
        /// What.
        noticed: Noticed,
        /// Whether it arrived.
        arrived: bool,
    },
    /// Be sent once more.
    Redeliver,
}

impl Aggregate for Notice {
    const KIND: &'static str = "notice";
    type Command = Command;
    type Fact = NoticeEvent;

    fn narrow(event: &Event) -> Option<&NoticeEvent> {
        if let Event::Notice(fact) = event { Some(fact) } else { None }
    }

    fn decide(&self, command: &Command) -> Result<Vec<NoticeEvent>, Refusal> {
        match (self, command) {
            (Self::Unknown | Self::Requested(_), Command::Settle { noticed, arrived: true }) => {
                Ok(vec![NoticeEvent::Delivered(noticed.clone())])
            }
            (Self::Unknown | Self::Requested(_), Command::Settle { noticed, arrived: false }) => {
                Ok(vec![NoticeEvent::Failed(noticed.clone())])
            }
            (Self::Settled(Noticed { site, receiver, sequence, .. }), Command::Redeliver) => {
                Ok(vec![NoticeEvent::Requested { site: *site, receiver: *receiver, sequence: *sequence }])
            }
            // Whoever asks twice is told once, and two who sent it at the same moment have sent one notice.
            (Self::Requested(_), Command::Redeliver) | (Self::Settled(_), Command::Settle { .. }) => Ok(vec![]),
            (Self::Unknown, Command::Redeliver) => Err(Refusal::NoticeNotFound),
        }
    }

    fn evolve(self, fact: &NoticeEvent) -> Self {
        match (self, fact) {
            (_, NoticeEvent::Delivered(noticed) | NoticeEvent::Failed(noticed)) => Self::Settled(noticed.clone()),
            (Self::Settled(noticed), NoticeEvent::Requested { .. }) => Self::Requested(noticed),
            (state, NoticeEvent::Requested { .. }) => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::story::given;
    use crate::{ReceiverId, SiteId, receiver::Occasion};
    use uuid::Uuid;

    #[test]
    fn a_notice_is_settled_once_each_time_it_is_asked_for() {
        let (site, receiver) = (SiteId(Uuid::nil()), ReceiverId(Uuid::nil()));
        let noticed = Noticed {
            site,
            receiver,
            sequence: 7,
            occasion: Occasion::BuildFailed,
            tries: 1,
            status: Some(200),
            reason: String::new(),
            duration_ms: 12,
        };
        let settle = |arrived| Command::Settle { noticed: noticed.clone(), arrived };
        let (delivered, failed) = (NoticeEvent::Delivered(noticed.clone()), NoticeEvent::Failed(noticed.clone()));
        let requested = NoticeEvent::Requested { site, receiver, sequence: 7 };
        given::<Notice>([]).when(settle(true)).then([delivered.clone()]);
        given::<Notice>([]).when(settle(false)).then([failed.clone()]);
        given::<Notice>([delivered.clone()]).when(settle(false)).then([]);
        given::<Notice>([]).when(Command::Redeliver).refuses(Refusal::NoticeNotFound);
        given::<Notice>([failed.clone()]).when(Command::Redeliver).then([requested.clone()]);
        given::<Notice>([failed.clone(), requested.clone()]).when(Command::Redeliver).then([]);
        given::<Notice>([failed, requested]).when(settle(true)).then([delivered]);
    }
}
