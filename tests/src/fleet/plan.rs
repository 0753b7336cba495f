//! What a fleet is told: the addresses, the secrets, the settings of each service.

use super::Service;
use super::log_server::{self, LogServer};
use super::postgres::Cluster;
use crate::{Ready, child, hold, ports};
use runtime::connection;
use serde_json::Value;
use servers::nats;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const REGION: &str = "us-east-1";
/// The key of every installation in tests.
const KEY: &str = "an-installation-key-for-tests-only";
const DOMAIN: &str = "sites.localhost";
/// The key by which an operator provisions the object store.
const PROVISIONER: &str = "syncer";
/// The folder that `pagefold permissions s3` has written.
const STORE_PERMISSIONS: &str = "store-permissions";
/// Actions that change nothing, and those by which objects come.
const READS: [&str; 2] = ["s3:GetObject", "s3:ListBucket"];
const ADDS: [&str; 3] = ["s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads", "s3:PutObject"];

/// A variable of a process.
type Variable = (String, String);

pub(super) struct Plan {
    pub(super) ready: Ready,
    folder: PathBuf,
    /// A port of each of the log's servers for clients, and one for the others.
    clients: Vec<u16>,
    routes: Vec<u16>,
    /// A port of each service for operators.
    admins: Vec<u16>,
    /// Ports of a second web and a second edge.
    seconds: Vec<u16>,
    /// The secret of every key of the object store, and the password of who reads the read model.
    secret: String,
    /// What launchers have of the installation's key.
    build_key: String,
    postgres: Cluster,
}

impl Plan {
    pub(super) async fn make(folder: &Path, members: usize) -> Self {
        let mut ports = ports::free(2 * members + Service::ALL.len() + 6);
        let mut take = |count: usize| ports.split_off(ports.len() - count);
        let (clients, routes, admins) = (take(members), take(members), take(Service::ALL.len()));
        let (own, seconds, postgres) = (take(3), take(2), take(1)[0]);
        let permissions = |servers: &str, name: &str| {
            let folder = folder.join(name).display().to_string();
            let output = child::run(&["permissions", servers, "--folder", &folder]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        permissions("nats", log_server::PERMISSIONS);
        permissions("s3", STORE_PERMISSIONS);
        nats::Settings { folder: folder.join("proof"), ports: Vec::new() }.prepare().await.unwrap();
        let postgres = Cluster::make(folder.join("postgres"), postgres, fresh());
        let ready = Ready {
            web: format!("http://127.0.0.1:{}", own[0]),
            edge: format!("http://127.0.0.1:{}", own[1]),
            edge_tls: None,
            s3: format!("http://127.0.0.1:{}", own[2]),
            admin: String::new(),
            nats: clients.iter().map(|port| nats::url(*port)).collect::<Vec<_>>().join(","),
            postgres: postgres.url("pagefold", &fresh(), "pagefold"),
            token: fresh(),
            github_webhook_secret: fresh(),
            sites_domain: DOMAIN.to_owned(),
            pid: std::process::id(),
        };
        let (folder, secret) = (folder.to_owned(), fresh());
        Self { ready, folder, clients, routes, admins, seconds, secret, build_key: build_key(), postgres }
    }

    pub(super) fn log_server(&self, member: usize) -> LogServer {
        let address = |port: &u16| SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
        LogServer {
            name: name_of(member),
            folder: self.folder.join(format!("nats-{member}")),
            around: self.folder.clone(),
            client: address(&self.clients[member]),
            route: address(&self.routes[member]),
            routes: self.routes.iter().map(address).collect(),
            proof: ["certificate.pem", "key.pem"].map(|file| self.folder.join("proof").join(file)),
        }
    }

    pub(super) const fn postgres(&self) -> &Cluster {
        &self.postgres
    }

    pub(super) fn depot(&self) -> depot::Config {
        let key = |name: &str| depot::Key {
            id: name.to_owned(),
            secret: self.secret.clone().into(),
            grants: self.policy(name).iter().map(grant).collect(),
        };
        let listen = self.ready.s3.trim_start_matches("http://").parse().unwrap();
        let keys = ["web", "launcher", "syncer", "edge"].map(key).into();
        depot::Config { root: self.folder.join("s3"), listen, region: REGION.to_owned(), keys }
    }

    /// The statements of the policy that was written for a key.
    fn policy(&self, key: &str) -> Vec<Value> {
        let text = std::fs::read(self.folder.join(STORE_PERMISSIONS).join(format!("{key}.json"))).unwrap();
        let policy: Value = serde_json::from_slice(&text).unwrap();
        policy["Statement"].as_array().unwrap().clone()
    }

    pub(super) fn arguments(&self, service: Service) -> Vec<String> {
        let mut arguments = vec![service.name().to_owned()];
        if service == Service::Launcher {
            arguments.extend(["--sandbox", "bubblewrap"].map(str::to_owned));
        }
        arguments
    }

    pub(super) fn variables(&self, service: Service) -> Vec<Variable> {
        let data = self.folder.join(service.name()).display().to_string();
        let admin = self.admin(service);
        let mut variables = self.log(service.name());
        variables.push(variable("ADMIN_LISTEN", &admin));
        variables.push(variable("LOCAL_REPOSITORIES", &self.folder.display().to_string()));
        variables.push(hold::variable(&self.folder));
        match service {
            Service::Web => {
                let listen = self.ready.web.trim_start_matches("http://");
                variables.extend(self.store(service.name()));
                variables.push(variable("WEB_LISTEN", listen));
                variables.push(variable("POSTGRES_URL", &self.reader()));
                variables.push(variable("TOKEN", &self.ready.token));
                variables.push(variable("GITHUB_WEBHOOK_SECRET", &self.ready.github_webhook_secret));
                variables.push(variable("KEY", KEY));
                variables.push(variable("LOCAL_REPOSITORIES", &self.folder.display().to_string()));
                variables.push(variable("SITES_SCHEME", "http"));
                variables.push(variable("SITES_DOMAIN", DOMAIN));
                variables.push(variable("WEB_DATA", &data));
            }
            Service::Scheduler => {}
            Service::Launcher => {
                variables.extend(self.store(service.name()));
                variables.push(variable("LOCAL_REPOSITORIES", &self.folder.display().to_string()));
                variables.push(variable("LAUNCHER_DATA", &data));
                variables.push(variable("BUILD_KEY", &self.build_key));
                // A story fills a disk, and that is a small one.
                variables.push(variable("BUILD_DISK_RESERVE_BYTES", "1048576"));
            }
            Service::Syncer => {
                variables.extend(self.store(service.name()));
                variables.push(variable("SYNCER_DATA", &data));
            }
            Service::Notifier => {
                variables.push(variable("KEY", KEY));
                variables.push(variable("SITES_SCHEME", "http"));
                variables.push(variable("SITES_DOMAIN", DOMAIN));
            }
            Service::Projector => variables.push(variable("POSTGRES_URL", &self.ready.postgres)),
            Service::Edge => {
                variables.extend(self.store(service.name()));
                variables.push(variable("EDGE_LISTEN", self.ready.edge.trim_start_matches("http://")));
                variables.push(variable("EDGE_DATA", &data));
                variables.push(variable("SITES_DOMAIN", DOMAIN));
            }
        }
        variables
    }

    /// The same for a process beside the first: other addresses, other folders.
    pub(super) fn second(&self, service: Service) -> Vec<Variable> {
        let data = self.folder.join(format!("second-{}", service.name())).display().to_string();
        let address = |index: usize| format!("127.0.0.1:{}", self.seconds[index]);
        let mut variables = self.variables(service);
        // Of two values of a variable, the later counts.
        variables.extend([
            variable("ADMIN_LISTEN", "127.0.0.1:0"),
            variable("WEB_LISTEN", &address(0)),
            variable("EDGE_LISTEN", &address(1)),
        ]);
        variables.extend(["WEB_DATA", "LAUNCHER_DATA", "SYNCER_DATA", "EDGE_DATA"].map(|name| variable(name, &data)));
        variables
    }

    /// Where the second web and the second edge are.
    pub(super) fn second_ready(&self) -> Ready {
        let [web, edge] = [0, 1].map(|index| format!("http://127.0.0.1:{}", self.seconds[index]));
        Ready { web, edge, ..self.ready.clone() }
    }

    pub(super) fn provision(&self) -> Vec<Variable> {
        let mut variables = self.operator();
        variables.extend(self.store(PROVISIONER));
        variables.push(variable("NATS_REPLICAS", &self.clients.len().to_string()));
        variables
    }

    /// The same where roles and a database are to be made.
    pub(super) fn provision_by(&self, administrator: &str) -> Vec<Variable> {
        let mut variables = self.provision();
        variables.push(variable("POSTGRES_ADMINISTRATOR_URL", administrator));
        variables.push(variable("POSTGRES_READER_PASSWORD", &self.secret));
        variables
    }

    /// How an operator's command reaches the log and the read model.
    pub(super) fn operator(&self) -> Vec<Variable> {
        let mut variables = self.log("ctl");
        variables.push(variable("POSTGRES_URL", &self.ready.postgres));
        variables
    }

    /// How a user reaches the log without a process of its own.
    pub(super) fn access(&self, user: &str) -> connection::Config {
        let [.., (_, password)] = &self.handed_out(user)[..] else { panic!("`{user}` has no password") };
        let certificate = Some(self.certificate());
        let (url, password) = (self.ready.nats.clone(), password.clone().into());
        connection::Config { url, user: user.to_owned(), password, certificate }
    }

    /// The read model, as its reader reaches it.
    pub(super) fn reader(&self) -> String {
        self.postgres.url("pagefold_web", &self.secret, "pagefold")
    }

    pub(super) fn healthz(&self, service: Service) -> String {
        format!("http://{}/healthz", self.admin(service))
    }

    pub(super) fn metrics(&self, service: Service) -> String {
        format!("http://{}/metrics", self.admin(service))
    }

    fn admin(&self, service: Service) -> String {
        let index = Service::ALL.iter().position(|other| *other == service).unwrap();
        format!("127.0.0.1:{}", self.admins[index])
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("proof/certificate.pem")
    }

    /// The variables that were written for a user of the log.
    fn handed_out(&self, user: &str) -> Vec<Variable> {
        let text =
            std::fs::read_to_string(self.folder.join(log_server::PERMISSIONS).join(format!("{user}.env"))).unwrap();
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.lines().map(|line| pair(line).unwrap()).collect()
    }

    fn log(&self, user: &str) -> Vec<Variable> {
        let mut variables = self.handed_out(user);
        variables.push(variable("NATS_URL", &self.ready.nats));
        variables.push(variable("NATS_CERTIFICATE", &self.certificate().display().to_string()));
        variables
    }

    /// How a key reaches the object store.
    pub(super) fn storage(&self, key: &str) -> storage::Config {
        let secret = self.secret.clone().into();
        storage::Config::new(self.ready.s3.clone(), REGION.to_owned(), key.to_owned(), secret)
    }

    fn store(&self, key: &str) -> Vec<Variable> {
        let pairs = [("S3_ENDPOINT", &*self.ready.s3), ("S3_ACCESS_KEY", key), ("S3_SECRET_KEY", &*self.secret)];
        pairs.map(|(name, value)| variable(name, value)).into()
    }
}

/// A statement of a policy, as the object store of a fleet knows it.
fn grant(statement: &Value) -> depot::Grant {
    let resource = statement["Resource"].as_str().unwrap().strip_prefix("arn:aws:s3:::").unwrap();
    // A part of a bucket stays one.
    let buckets = resource.strip_suffix("/*").filter(|bucket| !bucket.contains('/')).unwrap_or(resource).to_owned();
    let actions: Vec<&str> =
        statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
    let access = if actions.iter().all(|action| READS.contains(action)) {
        depot::Access::Read
    } else if actions.iter().all(|action| ADDS.contains(action)) {
        depot::Access::Add
    } else {
        depot::Access::Write
    };
    depot::Grant { buckets, access }
}

/// The name of one of the log's servers.
pub(super) fn name_of(member: usize) -> String {
    format!("member-{member}")
}

fn variable(name: &str, value: &str) -> Variable {
    (format!("PAGEFOLD_{name}"), value.to_owned())
}

/// What `pagefold permissions build-key` makes of the key.
fn build_key() -> String {
    let mut deriving = std::process::Command::new(crate::executable::executable());
    let told = deriving.args(["permissions", "build-key"]).env("PAGEFOLD_KEY", KEY).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.trim().strip_prefix("PAGEFOLD_BUILD_KEY=").unwrap().to_owned()
}

fn fresh() -> String {
    Uuid::new_v4().simple().to_string()
}
