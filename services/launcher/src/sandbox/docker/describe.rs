//! What a container is told to be.

use super::Docker;
use crate::gate;
use crate::sandbox::cgroups::shares;
use crate::sandbox::{Error, OPEN_FILES, blocking, standing_back};
use crate::spec::{CACHE, ContainerSpec, HOME, LABEL, LAUNCHER_LABEL, Limits, SITE};
use crate::workspace::Identity;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType, ResourcesUlimits};
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// Processes of the build user over all its containers; the bound of one container is its pids limit.
const USER_PROCESSES: i64 = 8192;
/// The API counts processors in billionths, we in thousandths.
const NANOS_PER_MILLI: i64 = 1_000_000;

/// Runs the command with both outputs as one: the API sends two, and their order would be lost. Takes the words that make it
/// stand back first, their number before them; an image that lacks those programs does without.
const ENTRANCE: &str = r#"
    for program in nice ionice; do command -v "$program" >/dev/null || { shift "$1"; break; }; done
    shift
    exec "$@" 2>&1"#;

impl Docker {
    pub(super) async fn describe(&self, spec: &ContainerSpec, owner: Identity) -> Result<ContainerCreateBody, Error> {
        let own = spec.env.iter().chain(self.env.iter().map(|(name, value)| (name, value)));
        // What is ours counts, of two variables of a name the later one.
        let env = spec.variables.iter().chain(own.map(|(name, value)| (name, value.as_str())));
        let back = standing_back(&spec.limits);
        let entrance = ["sh", "-c", ENTRANCE, "entrance", &back.len().to_string()].map(str::to_owned).into_iter();
        let labels = [(LABEL, &spec.build), (LAUNCHER_LABEL, &self.installation)];
        let (workspace, gate) = (spec.workspace.clone(), spec.gate.clone());
        let mounts = blocking("find the workspace", move || {
            let gate =
                gate.map(|gate| Ok::<_, io::Error>(Mount { read_only: Some(true), ..bind(&gate, gate::FOLDER)? }));
            let own = [(workspace.site(), SITE), (workspace.home(), HOME), (workspace.cache(), CACHE)];
            let own = own.iter().map(|(folder, seen)| bind(folder, seen));
            own.chain(gate).collect::<io::Result<Vec<_>>>()
        });
        let mounts = mounts.await?;
        Ok(ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(spec.command.clone()),
            entrypoint: Some(entrance.chain(back).collect()),
            env: Some(env.map(|(name, value)| format!("{name}={value}")).collect()),
            user: Some(format!("{}:{}", owner.uid, owner.gid)),
            working_dir: Some(SITE.to_owned()),
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value.clone())).into()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            host_config: Some(HostConfig { mounts: Some(mounts), ..self.host_config(&spec.limits) }),
            ..Default::default()
        })
    }

    fn host_config(&self, limits: &Limits) -> HostConfig {
        let memory = signed(limits.memory_bytes);
        HostConfig {
            network_mode: Some("none".to_owned()),
            readonly_rootfs: Some(true),
            tmpfs: Some(HashMap::from([(
                "/tmp".to_owned(),
                format!("rw,exec,nosuid,nodev,mode=1777,size={}", limits.tmp_bytes),
            )])),
            shm_size: Some(signed(limits.tmp_bytes)),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            cgroup_parent: self.parent.clone(),
            memory: Some(memory),
            memory_swap: Some(memory),
            pids_limit: Some(i64::from(limits.pids)),
            cpu_shares: Some(signed(shares(limits.cpu_weight))),
            nano_cpus: Some(i64::from(limits.cpu_millis.min(self.processors * 1000)) * NANOS_PER_MILLI),
            blkio_weight: u16::try_from(limits.io_weight.min(1000)).ok().filter(|weight| *weight >= 10),
            // What the build prints goes to its log; the engine's own copy would grow without a bound.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            ulimits: Some(vec![
                ulimit("nofile", signed(OPEN_FILES)),
                ulimit("nproc", USER_PROCESSES),
                ulimit("fsize", signed(limits.file_bytes)),
                ulimit("core", 0),
            ]),
            ..Default::default()
        }
    }
}

fn bind(source: &Path, target: &str) -> io::Result<Mount> {
    let source = source.canonicalize()?;
    Ok(Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_string_lossy().into_owned()),
        target: Some(target.to_owned()),
        ..Default::default()
    })
}

fn ulimit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
