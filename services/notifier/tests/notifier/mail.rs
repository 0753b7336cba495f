//! Mail: by a real server, which may be away, and may refuse.

use crate::post::Server;
use crate::world::{COMMIT, World};
use events::NoticeId;
use events::receiver::{Kind, Occasion};

const ADA: &str = "ada@mail.test";

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_arrives_by_mail_with_its_reason() {
    let (world, server) = (World::start().await, Server::start().await);
    let id = world.receiver_of(Kind::Email, ADA, &[Occasion::BuildFailed]).await;
    let _running = world.notify_by(&server.url()).await;
    let build = world.queued(1).await;
    world.failed(build).await;
    let settled = world.settled(id, 1).await;
    assert!(settled[0].0, "{settled:?}");
    let mails = server.mails();
    let [mail] = &mails[..] else { panic!("one mail: {mails:?}") };
    let fact = world.web.fact(settled[0].1.sequence).await.unwrap().unwrap();
    for line in [
        "X-RcptTo: ada@mail.test",
        "Subject: docs: build 1 failed: the script `pages` exited with 1",
        "From: pagefold@mail.test",
        "To: ada@mail.test",
        "Auto-Submitted: auto-generated",
        &format!("Message-ID: <{}@mail.test>", NoticeId::of(id, &fact)),
        "Branch: fix/it",
        &format!("Commit: {} Change number 1", &COMMIT[..7]),
        &format!("More: https://pagefold.test/builds/{build}"),
        "Who is told, and how to change it: https://pagefold.test/sites/docs/notices",
    ] {
        assert!(mail.lines().any(|found| found == line), "`{line}` is not in {mail}");
    }
    assert!(!mail.contains("Address:"), "nothing else is shown: {mail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_away_is_tried_again() {
    let (world, server) = (World::start().await, Server::start().await);
    let (url, port) = (server.url(), server.port);
    drop(server);
    let id = world.receiver_of(Kind::Email, ADA, &[Occasion::BuildQueued]).await;
    let _running = world.notify_by(&url).await;
    world.queued(1).await;
    let server = Server::start_at(port, &[]).await;
    let settled = world.settled(id, 1).await;
    assert!(settled[0].0 && settled[0].1.tries > 1, "{settled:?}");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_refuses_is_quoted_by_its_code_alone() {
    let world = World::start().await;
    let port = Server::start().await.port;
    let server = Server::start_at(port, &["--size", "10"]).await;
    let id = world.receiver_of(Kind::Email, ADA, &[Occasion::BuildQueued]).await;
    let _running = world.notify_by(&server.url()).await;
    world.queued(1).await;
    let settled = world.settled(id, 1).await;
    assert!(!settled[0].0, "{settled:?}");
    assert_eq!((settled[0].1.tries, settled[0].1.reason.as_str()), (1, "the mail server refused it with 552"));
    assert!(server.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_mail_is_sent_a_notice_says_so() {
    let world = World::start().await;
    let id = world.receiver_of(Kind::Email, ADA, &[Occasion::BuildQueued]).await;
    let _running = world.notify().await;
    world.queued(1).await;
    let settled = world.settled(id, 1).await;
    assert!(!settled[0].0 && settled[0].1.reason.contains("no mail is sent here"), "{settled:?}");
}
