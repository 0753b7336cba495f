//! Slack's incoming webhooks, which many other chats take as well: a text with links in its own markup.

use crate::news::News;
use crate::tried::{Tried, Why};
use dialer::Http;
use http::{Request, header};
use serde_json::json;

pub(crate) async fn send(http: &Http, address: &str, news: &News) -> Tried {
    let body = json!({ "text": text(news) }).to_string();
    match Request::post(address).header(header::CONTENT_TYPE, "application/json").body(body.into()) {
        Ok(request) => Tried::of(http.send(request).await),
        Err(_) => Tried::Never(Why::said("its address is not a URL")),
    }
}

fn text(news: &News) -> String {
    let mut lines = vec![format!("*{}*: {}", escaped(&news.site.name), escaped(&news.sentence))];
    if let Some(build) = &news.build {
        let commit = build.commit.as_ref().map(|commit| format!(" at {}", commit.short())).unwrap_or_default();
        lines.push(format!("{}{commit}: {}", escaped(&build.branch), escaped(&build.summary)));
    }
    let links = [(news.shown(), "open it"), (news.url.as_deref(), "more")];
    let links = links.iter().filter_map(|(url, label)| url.map(|url| format!("<{url}|{label}>")));
    lines.extend(Some(links.collect::<Vec<_>>().join(" · ")).filter(|links| !links.is_empty()));
    lines.join("\n")
}

/// Slack's markup begins with these, in names and messages that anybody may have chosen, too.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nobody_calls_a_channel_by_a_commit_message() {
        assert_eq!(escaped("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
