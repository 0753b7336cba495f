//! What a fleet is told: the addresses, the secrets, the settings of each service.

use super::Service;
use crate::{Ready, hold, ports};
use depot::Access;
use projections::server as postgres;
use runtime::{connection, server as nats};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const REGION: &str = "us-east-1";
const DOMAIN: &str = "sites.localhost";
/// The key by which an operator provisions the object store.
const OPERATOR: &str = "operator";

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
    reader: SecretString,
    secret: String,
}

impl Plan {
    pub(super) async fn make(folder: &Path, members: usize) -> Self {
        let mut ports = ports::free(2 * members + Service::ALL.len() + 5);
        let mut take = |count: usize| ports.split_off(ports.len() - count);
        let (clients, routes, admins) = (take(members), take(members), take(Service::ALL.len()));
        let (own, seconds) = (take(3), take(2));
        // Its roles have their passwords from the first start.
        let server = postgres::Server::start(&postgres::Config::new(folder.join("postgres"))).await.unwrap();
        let (owner, reader) = (server.url(postgres::Role::Owner), server.url(postgres::Role::Reader));
        server.stop().await.unwrap();
        let ready = Ready {
            web: format!("http://127.0.0.1:{}", own[0]),
            edge: format!("http://127.0.0.1:{}", own[1]),
            s3: format!("http://127.0.0.1:{}", own[2]),
            admin: String::new(),
            nats: clients.iter().map(|port| nats::url(*port)).collect::<Vec<_>>().join(","),
            postgres: owner.expose_secret().to_owned(),
            token: fresh(),
            github_webhook_secret: fresh(),
            sites_domain: DOMAIN.to_owned(),
            pid: std::process::id(),
        };
        Self { ready, folder: folder.to_owned(), clients, routes, admins, seconds, reader, secret: fresh() }
    }

    pub(super) fn member(&self, member: usize) -> nats::Settings {
        let (port, routes) = (self.routes[member], self.routes.clone());
        nats::Settings {
            folder: self.folder.join(format!("nats-{member}")),
            secrets: self.secrets(),
            ports: vec![self.clients[member]],
            cluster: (routes.len() > 1).then(|| nats::Cluster { member: name_of(member), port, routes }),
        }
    }

    pub(super) fn postgres_config(&self) -> postgres::Config {
        postgres::Config::new(self.folder.join("postgres"))
    }

    pub(super) fn depot(&self) -> depot::Config {
        let all = |access| vec![depot::Grant { buckets: "*".to_owned(), access }];
        let key = |name: &str, access| depot::Key {
            id: name.to_owned(),
            secret: self.secret.clone().into(),
            grants: all(access),
        };
        let keys = [("web", Access::Read), ("launcher", Access::Write), ("syncer", Access::Write)];
        let keys = keys.into_iter().chain([("edge", Access::Read), (OPERATOR, Access::Write)]);
        let listen = self.ready.s3.trim_start_matches("http://").parse().unwrap();
        let keys = keys.map(|(name, access)| key(name, access)).collect();
        depot::Config { root: self.folder.join("s3"), listen, region: REGION.to_owned(), keys }
    }

    pub(super) fn arguments(&self, service: Service) -> Vec<String> {
        let mut arguments = vec![service.name().to_owned()];
        if service == Service::Launcher {
            arguments.extend(["--engine", "bubblewrap"].map(str::to_owned));
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
                variables.push(variable("POSTGRES_URL", self.reader.expose_secret()));
                variables.push(variable("TOKEN", &self.ready.token));
                variables.push(variable("GITHUB_WEBHOOK_SECRET", &self.ready.github_webhook_secret));
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
                // A story fills a disk, and that is a small one.
                variables.push(variable("BUILD_DISK_RESERVE_BYTES", "1048576"));
            }
            Service::Syncer => {
                variables.extend(self.store(service.name()));
                variables.push(variable("SYNCER_DATA", &data));
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
        variables.extend(self.store(OPERATOR));
        variables.push(variable("NATS_REPLICAS", &self.clients.len().to_string()));
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
        let certificate = Some(nats::certificate(&self.secrets()));
        let password = nats::password(&self.secrets(), user).unwrap();
        connection::Config { url: self.ready.nats.clone(), user: user.to_owned(), password, certificate }
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

    fn secrets(&self) -> PathBuf {
        self.folder.join("nats-secrets")
    }

    fn log(&self, user: &str) -> Vec<Variable> {
        std::fs::create_dir_all(self.secrets()).unwrap();
        let password = nats::password(&self.secrets(), user).unwrap();
        vec![
            variable("NATS_URL", &self.ready.nats),
            variable("NATS_PASSWORD", password.expose_secret()),
            variable("NATS_CERTIFICATE", &nats::certificate(&self.secrets()).display().to_string()),
        ]
    }

    /// How a key reaches the object store.
    pub(super) fn storage(&self, key: &str) -> storage::Config {
        let access = (key.to_owned(), self.secret.clone().into());
        storage::Config::new(self.ready.s3.clone(), REGION.to_owned(), access)
    }

    fn store(&self, key: &str) -> Vec<Variable> {
        let pairs = [("S3_ENDPOINT", &*self.ready.s3), ("S3_ACCESS_KEY", key), ("S3_SECRET_KEY", &*self.secret)];
        pairs.map(|(name, value)| variable(name, value)).into()
    }
}

/// The name of one of the log's servers.
pub(super) fn name_of(member: usize) -> String {
    format!("member-{member}")
}

fn variable(name: &str, value: &str) -> Variable {
    (format!("PAGEFOLD_{name}"), value.to_owned())
}

fn fresh() -> String {
    Uuid::new_v4().simple().to_string()
}
