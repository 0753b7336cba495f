//! A reader who asks for a site's pages all the time: no page may mix two pushes, go back to an older one, or be missing.

use crate::{Answer, DEADLINE, Host};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is read, in turn. Both change with every push.
pub(super) const PATHS: [&str; 2] = ["/", "/second.html"];
const READ_EVERY: Duration = Duration::from_millis(20);
/// An answer that takes longer is none.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Enough that a page does not go over the wire at once.
const FILLING: usize = 100 * 1024;

/// What was seen so far.
#[derive(Debug, Clone, Default)]
struct Seen {
    newest: u32,
    fault: Option<String>,
}

pub(super) struct Reader {
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

/// The first and the last line of a page.
pub(super) fn line(page: u32) -> String {
    format!("push {page}")
}

pub(super) fn page(page: u32) -> String {
    let line = line(page);
    format!("{line}\n{}\n{line}", ".".repeat(FILLING))
}

impl Reader {
    /// Reads from a site that shows the push `newest` or a later one. If it `may_miss`, no answer and an answer that is
    /// no page are no fault.
    pub(super) fn start(host: Host, newest: u32, may_miss: bool) -> Self {
        let (tell, seen) = watch::channel(Seen { newest, fault: None });
        let task = tokio::spawn(async move {
            for path in PATHS.iter().cycle() {
                let newest = tell.borrow().newest;
                let answer = tokio::time::timeout(ANSWER_MAX, Answer::to(host.request("GET", path))).await;
                let answer = answer.map_err(|_| "it took too long".to_owned());
                match judge(answer.and_then(|answer| answer.map_err(|error| error.to_string())), newest) {
                    Verdict::Shows(page) => tell.send_modify(|seen| seen.newest = page),
                    Verdict::Misses(_) if may_miss => {}
                    Verdict::Misses(fault) | Verdict::Wrong(fault) => {
                        tell.send_modify(|seen| seen.fault = Some(format!("{path}: {fault}")));
                        return;
                    }
                }
                tokio::time::sleep(READ_EVERY).await;
            }
        });
        Self { seen, task }
    }

    /// Reads on at another address, where the platform has got one since.
    pub(super) fn moved(self, host: Host, may_miss: bool) -> Self {
        let newest = self.checked();
        Self::start(host, newest, may_miss)
    }

    /// Waits until a push is seen.
    pub(super) async fn shows(&self, page: u32) {
        let mut seen = self.seen.clone();
        let shown = seen.wait_for(|seen| seen.fault.is_some() || seen.newest >= page);
        let shown = tokio::time::timeout(DEADLINE, shown).await.is_ok();
        let newest = self.checked();
        assert!(shown, "push {page} was not seen in {} seconds; push {newest} was", DEADLINE.as_secs());
    }

    /// The newest push that was seen.
    pub(super) fn checked(&self) -> u32 {
        let Seen { newest, fault } = self.seen.borrow().clone();
        assert!(fault.is_none(), "a reader saw what may not be: {}", fault.unwrap_or_default());
        newest
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum Verdict {
    Shows(u32),
    Misses(String),
    Wrong(String),
}

fn judge(answer: Result<Answer, String>, newest: u32) -> Verdict {
    let answer = match answer {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return Verdict::Misses(format!("{} {}", answer.status, answer.text())),
        Err(error) => return Verdict::Misses(error),
    };
    let text = answer.text();
    let number = |line: Option<&str>| line.and_then(|line| line.strip_prefix("push ")?.parse::<u32>().ok());
    let (first, last) = (number(text.lines().next()), number(text.lines().next_back()));
    match first {
        Some(first) if Some(first) == last && first >= newest => Verdict::Shows(first),
        Some(first) if Some(first) == last => Verdict::Wrong(format!("push {first} after push {newest}")),
        Some(_) | None => Verdict::Wrong(format!("it begins with {first:?} and ends with {last:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(body: String, newest: u32) -> Verdict {
        judge(Ok(Answer { status: 200, headers: Default::default(), body: body.into() }), newest)
    }

    #[test]
    fn a_page_is_of_one_push_and_none_is_older_than_the_one_before() {
        assert!(matches!(verdict(page(3), 2), Verdict::Shows(3)));
        assert!(matches!(verdict(page(1), 2), Verdict::Wrong(_)));
        assert!(matches!(verdict(page(3).replace("push 3\n", "push 2\n"), 2), Verdict::Wrong(_)));
        assert!(matches!(verdict(page(3)[..FILLING].to_owned(), 2), Verdict::Wrong(_)));
    }
}
