//! A chat: one text in its own markup.

use crate::receiver::Receiver;
use crate::world::World;
use events::receiver::{Kind, Occasion};

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_gets_one_text_with_links_and_nothing_that_is_for_others() {
    let (world, mut receiver) = (World::start().await, Receiver::start().await);
    let id = world.receiver_of(Kind::Slack, &receiver.url(), &[Occasion::BuildFailed, Occasion::Promoted]).await;
    let _running = world.notify().await;
    let build = world.queued(1).await;
    world.failed(build).await;
    let sent = receiver.next().await;
    assert_eq!(sent.header("content-type"), "application/json");
    let told = sent.json();
    let expected = format!(
        "*docs*: build 1 failed: the script `pages` exited with 1\nfix/it at 1111111: Change number 1\n<https://pagefold.test/builds/{build}|more>"
    );
    assert_eq!((told["text"].as_str(), told.as_object().unwrap().len()), (Some(expected.as_str()), 1));

    let shown = world.queued(2).await;
    world.published(shown, 2).await;
    let told = receiver.next().await.json();
    let text = told["text"].as_str().unwrap();
    assert!(text.starts_with("*docs*: `preview/fix/it` now shows build 2\n"), "{text}");
    assert!(text.contains("--docs.pages.test/|open it> · <https://pagefold.test/"), "{text}");
    assert!(world.settled(id, 2).await.iter().all(|(arrived, noticed)| *arrived && noticed.status == Some(204)));
}
