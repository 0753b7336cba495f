//! One address for clients, wherever the server is.

use crate::world::{World, within};
use futures::future::join_all;
use runtime::Connection;
use servers::nats::Relay;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// More than the door lets in at the same time.
const STRANGERS: usize = 100;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A door before nothing yet.
async fn door() -> (u16, watch::Sender<Option<SocketAddr>>) {
    let (relay, place) = (Relay::bind().await.unwrap(), watch::Sender::new(None));
    let port = relay.port();
    tokio::spawn(relay.run(place.subscribe()));
    (port, place)
}

async fn answers(connection: &Connection) {
    within(async {
        while connection.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_find_a_server_that_comes_late_and_one_that_has_moved() {
    let mut world = World::start().await;
    let (port, place) = door().await;
    let connection = within(Connection::establish(&world.config("web", port))).await.unwrap();
    assert!(connection.check().await.is_err());
    place.send_replace(Some(at(world.port())));
    answers(&connection).await;

    world.kill().await;
    place.send_replace(None);
    let _squatter = TcpListener::bind(at(world.port())).await.unwrap();
    world.move_away().await;
    place.send_replace(Some(at(world.port())));
    answers(&connection).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_stay_do_not_keep_a_client_out() {
    let world = World::start().await;
    let (port, place) = door().await;
    place.send_replace(Some(at(world.port())));
    let known = within(Connection::open(&world.config("web", port))).await.unwrap();
    let strangers = within(join_all((0..STRANGERS).map(|_| TcpStream::connect(at(port))))).await;
    let another = within(Connection::open(&world.config("edge", port))).await.unwrap();
    answers(&another).await;
    answers(&known).await;
    drop(strangers);
}
