//! Three servers with three copies of everything: nobody reads what is outdated, and a leader may fall at any moment.

use crate::world::{cause, create, history, within};
use async_nats::jetstream::stream::{Config, DirectGetErrorKind, PersistenceMode, Stream};
use events::{Organization, Recorded, Refusal, Site, organization, site, subject};
use futures::future::join_all;
use runtime::connection;
use runtime::{Connection, ExecuteError, Log, streams};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

const USERS: [&str; 3] = ["ctl", "web", "syncer"];

/// One cluster at a time: three servers that sync every write leave little of two cores to the tests beside them.
static ALONE: Mutex<()> = Mutex::const_new(());

struct Cluster {
    _alone: MutexGuard<'static, ()>,
    servers: Vec<Option<Child>>,
    ports: Vec<u16>,
    folder: TempDir,
}

impl Cluster {
    async fn start() -> Self {
        let alone = ALONE.lock().await;
        let folder = tempfile::tempdir().unwrap();
        // Routes need ports that are known before the servers run.
        let listeners: Vec<TcpListener> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(listeners);
        let routes: Vec<String> = ports[3..].iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        let users = USERS.map(|user| format!("{{ user: {user}, password: secret }}")).join(", ");
        for index in 0..3 {
            let text = format!(
                "listen: \"127.0.0.1:{}\"\nserver_name: s{index}\n\
                 jetstream {{ store_dir: \"{}/s{index}\", sync_interval: always }}\n\
                 cluster {{ name: tests, listen: \"127.0.0.1:{}\", routes: [{}] }}\n\
                 authorization {{ users: [ {users} ] }}\n",
                ports[index],
                folder.path().display(),
                ports[3 + index],
                routes.join(", "),
            );
            std::fs::write(folder.path().join(format!("s{index}.conf")), text).unwrap();
        }
        let mut cluster = Self { _alone: alone, servers: vec![None, None, None], ports, folder };
        (0..3).for_each(|index| cluster.revive(index));
        cluster
    }

    async fn provisioned() -> Self {
        let cluster = Self::start().await;
        let operator = cluster.connection("ctl", 0).await;
        within(cluster.provision(&operator, 3)).await;
        cluster
    }

    /// A cluster takes a moment to choose who leads it.
    async fn provision(&self, operator: &Connection, replicas: usize) {
        while let Err(error) = streams::provision(operator, replicas).await {
            eprintln!("{}", runtime::error::chain(&error));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn revive(&mut self, index: usize) {
        let config = self.folder.path().join(format!("s{index}.conf"));
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "SIGKILL", "nats-server", "-c"]).arg(config);
        self.servers[index] = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }

    fn kill(&mut self, index: usize) {
        let mut server = self.servers[index].take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    fn signal(&self, index: usize, name: &str) {
        let pid = self.servers[index].as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn url(&self, first: usize) -> String {
        let order = (first..first + 3).map(|index| format!("nats://127.0.0.1:{}", self.ports[index % 3]));
        order.collect::<Vec<_>>().join(",")
    }

    async fn connection(&self, user: &str, first: usize) -> Connection {
        self.reach(user, self.url(first)).await
    }

    /// The log as one of its servers tells it.
    async fn log_of(&self, user: &str, member: usize) -> Log {
        Log::new(self.reach(user, format!("nats://127.0.0.1:{}", self.ports[member])).await)
    }

    async fn reach(&self, user: &str, url: String) -> Connection {
        let config = connection::Config {
            url,
            user: user.to_owned(),
            password: SecretString::from("secret"),
            certificate: None,
        };
        within(async {
            loop {
                if let Ok(connection) = Connection::open(&config).await {
                    return connection;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    }

    async fn log(&self, user: &str, first: usize) -> Log {
        Log::new(self.connection(user, first).await)
    }

    async fn raw(&self) -> async_nats::jetstream::Context {
        let options = async_nats::ConnectOptions::with_user_and_password("ctl".to_owned(), "secret".to_owned());
        async_nats::jetstream::new(options.connect(self.url(0).split(',').collect::<Vec<_>>()).await.unwrap())
    }

    /// The stream of facts as one of its servers has copied it.
    async fn copy_of(&self, member: usize) -> Stream {
        let options = async_nats::ConnectOptions::with_user_and_password("ctl".to_owned(), "secret".to_owned());
        let client = options.connect(format!("nats://127.0.0.1:{}", self.ports[member])).await.unwrap();
        async_nats::jetstream::new(client).get_stream(subject::EVENTS).await.unwrap()
    }

    /// The server that leads the stream of facts.
    async fn leader(&self) -> usize {
        let context = self.raw().await;
        within(async {
            loop {
                if let Ok(stream) = context.get_stream(subject::EVENTS).await
                    && let Some(leader) =
                        stream.cached_info().cluster.as_ref().and_then(|cluster| cluster.leader.clone())
                {
                    return leader[1..].parse().unwrap();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    }

    async fn replicas(&self) -> Vec<usize> {
        let context = self.raw().await;
        let names = [
            "EVENTS",
            "LOGS",
            "PARKED",
            "STRAYS",
            "KV_LEASES",
            "KV_SESSIONS",
            "KV_KEYS",
            "KV_USES",
            "KV_REQUESTS",
            "OBJ_SNAPSHOTS",
        ];
        join_all(names.map(async |name| context.get_stream(name).await.unwrap().cached_info().config.num_replicas))
            .await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for mut server in self.servers.iter_mut().filter_map(Option::take) {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stream_and_bucket_gets_its_copies_also_later_and_again() {
    let cluster = Cluster::start().await;
    let operator = cluster.connection("ctl", 0).await;
    for (wanted, held) in [(1, [1; 10]), (3, [3; 10]), (3, [3; 10])] {
        within(cluster.provision(&operator, wanted)).await;
        assert_eq!(cluster.replicas().await, held);
        assert_eq!(within(streams::replicas(&operator)).await.unwrap(), wanted, "whoever does not say keeps them");
    }
}

/// How often a follower must be seen to lag behind what was acknowledged.
const LAGS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_and_a_state_know_what_was_acknowledged_though_the_replica_that_answers_lags() {
    let cluster = Cluster::provisioned().await;
    let (mut lags, mut rounds) = (0, 0);
    'elections: while lags < LAGS {
        let leader = cluster.leader().await;
        let follower = (leader + 1) % 3;
        let (writer, reader) = (cluster.log_of("web", leader).await, cluster.log_of("web", follower).await);
        let copy = cluster.copy_of(follower).await;
        while lags < LAGS {
            rounds += 1;
            assert!(rounds < 40 * LAGS, "the follower has lagged {lags} times in {rounds} rounds");
            let name = format!("site-{rounds}");
            cluster.signal(follower, "-STOP");
            let said = match within(writer.execute::<Site>(&name, &create("acme"), &cause())).await {
                Ok(said) => said,
                Err(ExecuteError::Refused(refusal)) => panic!("{name} was refused: {refusal}"),
                // The others have chosen the one that sleeps meanwhile.
                Err(ExecuteError::Failed(_)) => {
                    cluster.signal(follower, "-CONT");
                    continue 'elections;
                }
            };
            // Asked while the follower sleeps. It answers as soon as it wakes, before it has heard of what was said meanwhile.
            let ask = async || {
                let (subject, other, cause) = (subject::events("site", &name), create("other"), cause());
                let (copied, loaded, refused, ()) = tokio::join!(
                    copy.direct_get_last_for_subject(subject),
                    reader.load::<Site>(&name),
                    reader.execute::<Site>(&name, &other, &cause),
                    async {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        cluster.signal(follower, "-CONT");
                    }
                );
                (copied, loaded, refused)
            };
            let (copied, loaded, refused) = Box::pin(within(ask())).await;
            lags += usize::from(copied.is_err_and(|error| error.kind() == DirectGetErrorKind::NotFound));
            assert_eq!(loaded.unwrap().sequence, said[0].sequence);
            assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::SiteExists))), "{refused:?}");
            assert_eq!(within(reader.fact(said[0].sequence)).await.unwrap().as_ref(), Some(&said[0]));
            within(writer.execute::<Site>(&name, &site::Command::Delete { seen: 1 }, &cause())).await.unwrap();
            let refused = within(reader.execute::<Site>(&name, &create("acme"), &cause())).await;
            assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{refused:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_decisions_survives_the_death_of_the_leader_and_nothing_is_lost_or_said_twice() {
    let mut cluster = Cluster::provisioned().await;
    let logs = join_all((0..3).map(|first| cluster.log("web", first))).await;
    let names: Vec<String> = (0..300).map(|index| format!("site-{index}")).collect();
    let leader = cluster.leader().await;
    let burst = names.iter().enumerate().map(async |(index, name)| {
        tokio::time::sleep(Duration::from_millis(5 * index as u64)).await;
        loop {
            // Asked again, it is so already: a name that is its own id.
            let create = organization::Command::Create { name: name.parse().unwrap() };
            match logs[index % 3].execute::<Organization>(name, &create, &cause()).await {
                Ok(recorded) => return recorded,
                // Whoever asked asks again, as the sender of a webhook does.
                Err(ExecuteError::Failed(error)) => eprintln!("{name}: {}", runtime::error::chain(&error)),
                Err(ExecuteError::Refused(refusal)) => panic!("{name} was refused what it may do: {refusal}"),
            }
        }
    });
    let kill = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cluster.kill(leader);
    };
    let (said, ()) = tokio::time::timeout(crate::world::PATIENCE * 2, async { tokio::join!(join_all(burst), kill) })
        .await
        .expect("the burst ends");
    let facts = history(&cluster.log("syncer", leader + 1).await).await;
    let subjects: BTreeSet<&str> = facts.iter().map(|fact| fact.envelope.subject.as_str()).collect();
    assert_eq!((facts.len(), subjects.len()), (300, 300));
    for fact in said.iter().flatten() {
        let there: &Recorded = &facts[usize::try_from(fact.sequence).unwrap() - 1];
        assert_eq!(there, fact);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_slept_through_its_fall_says_yes_to_nothing() {
    let cluster = Cluster::provisioned().await;
    let leader = cluster.leader().await;
    let (fallen, other) = (cluster.log_of("web", leader).await, cluster.log_of("web", (leader + 1) % 3).await);
    assert_eq!(fallen.load::<Site>("docs").await.unwrap().sequence, 0);
    cluster.signal(leader, "-STOP");
    let create_as = async |log: &Log, organization| log.execute::<Site>("docs", &create(organization), &cause()).await;
    let made = async {
        loop {
            if let Ok(said) = create_as(&other, "acme").await {
                return said;
            }
        }
    };
    let said = within(made).await;
    // Asked while it sleeps, answered as soon as it wakes; it knows nothing of the others yet.
    let asked = within(async {
        tokio::join!(create_as(&fallen, "other"), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cluster.signal(leader, "-CONT");
        })
    });
    let (answered, ()) = asked.await;
    assert!(answered.is_err(), "{answered:?}");
    let known =
        async { while fallen.load::<Site>("docs").await.is_ok_and(|loaded| loaded.sequence != said[0].sequence) {} };
    within(known).await;
    let refused = within(create_as(&fallen, "other")).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::SiteExists))), "{refused:?}");
    assert_eq!(history(&other).await, said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_without_the_others_soon_answers_no_more() {
    let cluster = Cluster::provisioned().await;
    let leader = cluster.leader().await;
    let alone = cluster.log_of("web", leader).await;
    (1..3).for_each(|other| cluster.signal((leader + other) % 3, "-STOP"));
    let answers = async || tokio::time::timeout(Duration::from_secs(2), alone.load::<Site>("docs")).await;
    within(async { while answers().await.is_ok_and(|loaded| loaded.is_ok()) {} }).await;
    (1..3).for_each(|other| cluster.signal((leader + other) % 3, "-CONT"));
    within(async { while !answers().await.is_ok_and(|loaded| loaded.is_ok()) {} }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_that_are_stored_later_stay_so_on_one_server_and_are_refused_copies_with_a_remedy() {
    let cluster = Cluster::start().await;
    let operator = cluster.connection("ctl", 0).await;
    within(cluster.provision(&operator, 1)).await;
    let raw = cluster.raw().await;
    let config = raw.get_stream("LOGS").await.unwrap().cached_info().config.clone();
    raw.delete_stream("LOGS").await.unwrap();
    raw.create_stream(Config { persist_mode: Some(PersistenceMode::Async), ..config }).await.unwrap();
    streams::provision(&operator, 1).await.unwrap();
    let refused = streams::provision(&operator, 3).await.unwrap_err().to_string();
    assert!(refused.contains("delete it while no build runs"), "{refused}");
    raw.delete_stream("LOGS").await.unwrap();
    within(cluster.provision(&operator, 3)).await;
    assert_eq!(cluster.replicas().await, [3; 10]);
}
