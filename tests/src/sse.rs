//! Server-sent events, as a browser reads them.

use bytes::{Buf as _, BytesMut};
use reqwest::Response;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Where to go on after it.
    pub id: String,
    /// What it is; `message` unless it says otherwise.
    pub event: String,
    /// What it says.
    pub data: String,
}

/// Events as they arrive.
#[derive(Debug)]
pub struct Messages {
    response: Response,
    waiting: BytesMut,
}

impl Messages {
    pub(crate) fn of(response: Response) -> Self {
        Self { response, waiting: BytesMut::new() }
    }

    /// The next event that says something; `None` if the stream has ended or broken.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some(end) = self.waiting.windows(2).position(|pair| pair == b"\n\n") {
                let text = self.waiting.split_to(end);
                self.waiting.advance(2);
                let message = read(&String::from_utf8_lossy(&text));
                if message.is_some() {
                    return message;
                }
            }
            self.waiting.extend_from_slice(&self.response.chunk().await.ok()??);
        }
    }
}

/// Heartbeats and advice for clients are no events.
fn read(text: &str) -> Option<Message> {
    let mut message = Message { event: "message".to_owned(), ..Message::default() };
    let mut data: Option<Vec<&str>> = None;
    for line in text.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => value.clone_into(&mut message.id),
            "event" => value.clone_into(&mut message.event),
            "data" => data.get_or_insert_default().push(value),
            _ => {}
        }
    }
    message.data = data?.join("\n");
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_lines_and_a_heartbeat_is_none() {
        let expected = Message { id: "7".into(), event: "end".into(), data: "a\n\nb".into() };
        assert_eq!(read("id: 7\nevent: end\ndata: a\ndata\ndata: b"), Some(expected));
        assert_eq!(read(": still here"), None);
        assert_eq!(read("retry: 2000"), None);
    }
}
