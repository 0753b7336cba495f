//! A killed process loses nothing it answered for and shows nothing it did not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use aws_sdk_s3::primitives::ByteStream;
use depot::Depot;
use s3s::crypto::{Checksum as _, Md5};
use tokio_util::sync::CancellationToken;

use crate::server::{BUCKET, Server, bytes, client, config};

const ROOT: &str = "DEPOT_TEST_ROOT";

/// Runs only as the child of the test below, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started as a process of its own by the test that kills it"]
async fn serves_until_it_is_killed() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let depot = Depot::bind(config(root.as_ref())).await.unwrap();
    println!("\nlistening {}", depot.local_addr());
    depot.run(CancellationToken::new()).await.unwrap();
}

fn spawn(root: &std::path::Path) -> (Child, std::net::SocketAddr) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::serves_until_it_is_killed", "--ignored", "--nocapture"])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.into_iter().find_map(|line| line.strip_prefix("listening ").map(str::to_owned)).unwrap();
    (child, address.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_keeps_what_it_answered_and_shows_nothing_partial() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, address) = spawn(directory.path());
    let admin = client(address, "admin");
    admin.create_bucket().bucket(BUCKET).send().await.unwrap();
    let answered = Mutex::new(Vec::new());
    let write = |writer: usize| {
        let (admin, answered) = (&admin, &answered);
        async move {
            for round in 0.. {
                let body = bytes(writer * 1000 + round, if writer.is_multiple_of(2) { 4000 } else { 1_500_000 });
                let key = format!("{writer}/{round}");
                let put = admin.put_object().bucket(BUCKET).key(&key).body(ByteStream::from(body.clone())).send().await;
                if put.is_err() {
                    return;
                }
                answered.lock().unwrap().push((key, body));
            }
        }
    };
    let kill = async {
        while answered.lock().unwrap().len() < 60 {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
    };
    tokio::join!(write(0), write(1), write(2), write(3), write(4), write(5), kill);
    child.wait().unwrap();

    let server = Server::open(directory).await;
    let answered = answered.into_inner().unwrap();
    for (key, body) in &answered {
        assert!(server.get(key).await == *body, "{key}");
    }
    let listed = server.client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    for object in listed.contents() {
        let body = server.get(object.key().unwrap()).await;
        assert_eq!(object.e_tag().unwrap(), format!("\"{}\"", hex::encode(Md5::checksum(&body))));
    }
    let large = listed.contents().iter().filter(|object| object.size() == Some(1_500_000)).count();
    assert_eq!(server.body_files(), large);
}
