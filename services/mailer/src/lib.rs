//! Mail by the operator's own server, for whoever has to send some: notices and invitations. What a server answers is told by its code
//! alone, since its words repeat addresses.

use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, header};
use lettre::transport::smtp;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;

/// Longest subject, in characters.
const SUBJECT_MAX: usize = 150;

/// A mail server, and who mail is from.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why there is no such server.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// The URL is none, or none of mail.
    #[error("the address of the mail server is not a URL such as smtps://USER:PASSWORD@HOST")]
    Server,
    /// A password would be sent for anybody on the way to read.
    #[error(
        "the URL of the mail server has a password and no encryption: begin it with smtps://, or end it with ?tls=required"
    )]
    Open,
    /// The sender is none.
    #[error("`{0}` is not an address of mail")]
    From(String),
}

/// One mail to one address.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// Its identity: what is sent twice is the same mail.
    pub id: &'a str,
    /// To whom.
    pub to: &'a str,
    /// What it is about. What is more than a line may hold is left out.
    pub subject: &'a str,
    /// What it says.
    pub text: String,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// It never will be, as it is.
    #[error("{0}")]
    Never(String),
    /// It may be another time.
    #[error("{0}")]
    Later(String),
}

/// Without the password.
impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// The server at `url` (`smtps://`, or `smtp://` with `?tls=required`), and who mail is from. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`MailerError`] if one of them cannot be used.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, MailerError> {
        let url = url.expose_secret();
        let is_closed = url.starts_with("smtps://") || url.ends_with("?tls=required");
        if url.contains('@') && !is_closed {
            return Err(MailerError::Open);
        }
        // What is wrong with it may quote it.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| MailerError::Server)?.build();
        let from = from.parse().map_err(|_: AddressError| MailerError::From(from.to_owned()))?;
        Ok(Self { transport, from })
    }

    /// Hands a mail to the server.
    ///
    /// # Errors
    /// [`Unsent`] says whether it is worth another try.
    pub async fn send(&self, letter: &Letter<'_>) -> Result<(), Unsent> {
        let message = self.message(letter).ok_or_else(|| Unsent::Never("its address is none of mail".to_owned()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(unsent(&error)),
        }
    }

    fn message(&self, Letter { id, to, subject, text }: &Letter<'_>) -> Option<Message> {
        let subject: String = subject.chars().take(SUBJECT_MAX).collect();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.parse::<Address>().ok()?))
            .subject(subject.replace(char::is_control, " "))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            // Who is away does not tell a machine so (RFC 3834).
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(text.clone());
        message.ok()
    }
}

/// Whether `text` is an address that mail can be sent to, and nothing else.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

fn unsent(error: &smtp::Error) -> Unsent {
    let code = error.status().map(|code| format!(" with {code}")).unwrap_or_default();
    if error.is_permanent() {
        Unsent::Never(format!("the mail server refused it{code}"))
    } else if error.is_transient() {
        Unsent::Later(format!("the mail server did not take it now{code}"))
    } else if error.is_timeout() {
        Unsent::Later("the mail server did not answer in time".to_owned())
    } else if error.is_tls() {
        Unsent::Later("the mail server could not be spoken to encrypted".to_owned())
    } else {
        Unsent::Later("the mail server is away".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str, from: &str) -> Result<Mailer, String> {
        Mailer::new(&url.into(), from).map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_is_sent_to_nobody_who_listens_on_the_way() {
        for url in
            ["smtps://ada:secret@mail.test", "smtp://ada:secret@mail.test:587?tls=required", "smtp://127.0.0.1:25"]
        {
            assert!(made(url, "Pages <pages@mail.test>").is_ok(), "{url}");
        }
        for url in
            ["smtp://ada:secret@mail.test", "smtp://ada:secret@mail.test?tls=opportunistic", "https://mail.test", "x"]
        {
            let why = made(url, "pages@mail.test").unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
        assert!(made("smtp://127.0.0.1", "pages").unwrap_err().contains("`pages`"));
    }

    #[test]
    fn nobody_adds_a_line_to_a_mail_by_its_subject_or_its_address() {
        let mailer = made("smtp://127.0.0.1", "pages@mail.test").unwrap();
        let letter =
            Letter { id: "1", to: "ada@mail.test", subject: "one\r\nBcc: ben@mail.test", text: "text".to_owned() };
        let message = String::from_utf8(mailer.message(&letter).unwrap().formatted()).unwrap();
        assert!(!message.contains("\nBcc") && message.contains("Subject: one  Bcc"), "{message}");
        for to in
            ["ada@mail.test\r\nBcc: ben@mail.test", "ada@mail.test, ben@mail.test", "Ada <ada@mail.test>", "ada", ""]
        {
            assert!(!is_address(to) && mailer.message(&Letter { to, ..letter.clone() }).is_none(), "{to}");
        }
    }
}
