//! The server that mail is sent by, as options. Its URL has a password, so it comes from the environment or a file.

use crate::secret;
use anyhow::{Result, bail};
use clap::Args;
use mailer::Mailer;
use std::path::PathBuf;

const URL: &str = "PAGEFOLD_SMTP_URL";

/// By which server mail is sent.
#[derive(Debug, Clone, Args)]
pub(crate) struct Mail {
    /// Who mail is from, such as `Pages <pages@example.gov>`; no mail is sent if absent. The mail server is in the variable
    /// PAGEFOLD_SMTP_URL, as smtps://USER:PASSWORD@HOST, or in a file
    #[arg(long, env = "PAGEFOLD_MAIL_FROM")]
    mail_from: Option<String>,
    /// The file with the URL of the mail server
    #[arg(long, env = "PAGEFOLD_SMTP_URL_FILE")]
    smtp_url_file: Option<PathBuf>,
}

impl Mail {
    pub(crate) fn mailer(&self) -> Result<Option<Mailer>> {
        match &self.mail_from {
            Some(from) => Ok(Some(Mailer::new(&secret::read(URL, self.smtp_url_file.as_deref())?, from)?)),
            None if self.smtp_url_file.is_some() || std::env::var_os(URL).is_some() => {
                bail!("there is a mail server and nobody whom mail is from: set PAGEFOLD_MAIL_FROM")
            }
            None => Ok(None),
        }
    }
}
