//! The forms by which another is told: one for each kind, since each asks for something else.

use super::{kind, occasions};
use crate::dashboard::form::form;
use crate::reception;
use events::receiver::Kind;
use maud::{Markup, html};
use projections::sites::SiteRow;

/// How the form of a kind asks for where.
struct Asked {
    /// What the field takes, as browsers know it.
    input: &'static str,
    label: &'static str,
    placeholder: &'static str,
    help: &'static str,
    /// How it asks for a token, if it has a use for one.
    token: Option<Token>,
}

/// How the form of a kind asks for a token.
struct Token {
    required: bool,
    help: &'static str,
}

const fn asked(kind: Kind) -> Asked {
    match kind {
        Kind::Webhook => Asked {
            input: "url",
            label: "URL",
            placeholder: "https://example.org/hook",
            help: "It gets JSON, signed with a secret that is shown once. The URL is kept sealed, and shown in part.",
            token: None,
        },
        Kind::Slack => Asked {
            input: "url",
            label: "URL of the incoming webhook",
            placeholder: "https://hooks.slack.com/services/…",
            help: "Whoever has it can write there: it is kept sealed, and shown in part.",
            token: None,
        },
        Kind::Email => Asked {
            input: "email",
            label: "Address",
            placeholder: "team@example.org",
            help: "One person or a list. It is kept sealed.",
            token: None,
        },
        Kind::Github => Asked {
            input: "url",
            label: "Page of the repository",
            placeholder: "https://github.com/acme/docs",
            help: "Each commit gets a state with a link to its preview, each pull request one comment.",
            token: Some(Token {
                required: false,
                help: "One that may write commit statuses and pull requests. Leave it empty if your operator has connected the app of GitHub.",
            }),
        },
        Kind::Cdevents => Asked {
            input: "url",
            label: "URL",
            placeholder: "https://events.example.org/cdevents",
            help: "It gets CloudEvents over HTTP. The URL is kept sealed, and shown in part.",
            token: Some(Token {
                required: false,
                help: "A bearer token, if one is needed there. It is not shown again.",
            }),
        },
    }
}

pub(super) fn adding(site: &SiteRow, sends_mail: bool) -> Markup {
    html! {
        section {
            h2 { "Tell somebody" }
            @for each in Kind::ALL {
                details.card {
                    summary { "By " (kind(each)) }
                    @if each == Kind::Email && !sends_mail {
                        p.notice { "No mail is sent here: the operator has configured no mail server." }
                    } @else { (fields(site, each, &asked(each))) }
                }
            }
        }
    }
}

fn fields(site: &SiteRow, kind: Kind, asked: &Asked) -> Markup {
    let word = kind.as_str();
    form(
        "",
        &format!("/sites/{}/notices", site.id),
        &html! {
            input type="hidden" name="kind" value=(word);
            div.fields {
                label for={ "name-" (word) } { "Name" }
                input id={ "name-" (word) } name="name" required maxlength="60" placeholder="Web team";
                label for={ "address-" (word) } { (asked.label) }
                input id={ "address-" (word) } type=(asked.input) name="address" required maxlength="2000" autocomplete="off"
                    placeholder=(asked.placeholder) aria-describedby={ "help-" (word) };
                small id={ "help-" (word) } { (asked.help) }
            @if let Some(token) = &asked.token {
                label for={ "token-" (word) } { "Token" }
                input id={ "token-" (word) } type="password" name="token" required[token.required] maxlength="500" autocomplete="off"
                    aria-describedby={ "token-help-" (word) };
                small id={ "token-help-" (word) } { (token.help) }
            }
            }
            (occasions(&reception::usual(kind)))
            button.primary { "Add" }
        },
    )
}
