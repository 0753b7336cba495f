//! Notices by mail, for people to read.

use crate::news::News;
use crate::tried::{Tried, Why};
use mailer::{Letter, Mailer, Unsent};

pub(crate) async fn send(mailer: Option<&Mailer>, address: &str, news: &News) -> Tried {
    let Some(mailer) = mailer else { return Tried::Never(Why::said("no mail is sent here: no server is configured")) };
    let id = news.notice.to_string();
    let subject = format!("{}: {}", news.site.name, news.sentence);
    match mailer.send(&Letter { id: &id, to: address, subject: &subject, text: text(news) }).await {
        Ok(()) => Tried::Arrived(None),
        Err(Unsent::Never(why)) => Tried::Never(Why::said(why)),
        Err(Unsent::Later(why)) => Tried::Later(Why::said(why)),
    }
}

fn text(news: &News) -> String {
    let mut lines = vec![format!("{}: {}.", news.site.name, news.sentence), String::new()];
    if let Some(build) = &news.build {
        lines.push(format!("Build: {}", build.number));
        lines.push(format!("Branch: {}", build.branch));
        lines.extend(build.commit.as_ref().map(|commit| format!("Commit: {} {}", commit.short(), build.summary)));
    }
    lines.extend(news.shown().map(|address| format!("Address: {address}")));
    lines.extend(news.url.as_ref().map(|url| format!("More: {url}")));
    lines.push(String::new());
    lines.push(format!("You are told this because somebody of `{}` added your address.", news.site.name));
    lines.extend(news.receivers_url.as_ref().map(|page| format!("Who is told, and how to change it: {page}")));
    lines.join("\n") + "\n"
}
