//! Who is let in, and whom we believe.

use crate::world::{World, within};
use runtime::connection::Config;
use runtime::{Connection, Error};
use servers::nats::{self, Server};

async fn refused(config: &Config) -> Error {
    within(Connection::open(config)).await.err().unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_silent_server_and_both_from_an_impostor() {
    let world = World::start().await;
    let right = world.config("web", world.port());
    let denied = refused(&Config { password: "wrong".into(), ..right.clone() }).await;
    assert!(matches!(&denied, Error::Denied { user, .. } if user == "web"), "{denied:?}");
    let silent = refused(&Config { url: "nats://web:secret@127.0.0.1:1".to_owned(), ..right.clone() }).await;
    assert!(matches!(&silent, Error::Silent { .. }) && !silent.to_string().contains("secret"), "{silent:?}");

    let folder = tempfile::tempdir().unwrap();
    let impostor = Server::start(folder.path(), 0).await.unwrap();
    let unproved = refused(&Config { url: impostor.url(), ..right.clone() }).await;
    assert!(matches!(&unproved, Error::Unproved { .. }), "{unproved:?}");

    // Of several addresses, one that answers is enough.
    let both = format!("{},{}", nats::url(1), right.url);
    within(Connection::open(&Config { url: both, ..right })).await.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_connection_may_be_there_before_its_server() {
    let mut world = World::start().await;
    world.kill().await;
    let connection = within(Connection::establish(&world.config("web", world.port()))).await.unwrap();
    let told = connection.check().await.unwrap_err();
    assert!(told.contains("not"), "{told}");
    world.revive().await;
    within(async {
        while connection.check().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_silent_is_not_there() {
    let world = World::start().await;
    let connection = world.connection("web").await;
    connection.check().await.unwrap();
    world.signal("-STOP");
    assert!(connection.is_up().await, "the connection stands");
    let answered = tokio::time::timeout(runtime::health::CHECK_MAX, connection.check()).await;
    assert!(!matches!(answered, Ok(Ok(()))));
    world.signal("-CONT");
}
