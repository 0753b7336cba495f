//! Clients of the store as they are shipped, mirroring a folder into a bucket.

use super::store::{KEY, REGION, SECRET};
use crate::process;
use std::path::Path;
use tokio::process::Command;

/// One mirroring: of a folder, into a bucket.
pub(super) struct Mirror<'w> {
    pub(super) endpoint: &'w str,
    pub(super) home: &'w Path,
    pub(super) folder: &'w Path,
    pub(super) bucket: String,
}

impl Mirror<'_> {
    /// As its manual advises for many small files: 32 at once, and one listing instead of one per folder.
    pub(super) async fn rclone(&self) -> process::Cost {
        let mut command = self.command("rclone");
        command.args(["sync", "--fast-list", "--transfers=32", "--checkers=32", "--checksum"]);
        command.arg(self.folder).arg(format!(":s3:{}", self.bucket));
        process::run(command).await
    }

    pub(super) async fn aws(&self, arguments: &[&str]) -> process::Cost {
        let mut command = self.command("aws");
        command.args(["s3"]).args(arguments);
        process::run(command).await
    }

    /// `aws s3 sync`.
    pub(super) async fn aws_sync(&self) -> process::Cost {
        let (folder, bucket) = (self.folder.display().to_string(), format!("s3://{}", self.bucket));
        self.aws(&["sync", "--only-show-errors", "--delete", &folder, &bucket]).await
    }

    /// Nothing of the user's own settings for these clients.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.home).env("LANG", "C.UTF-8");
        command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.env("AWS_REGION", REGION).env("AWS_DEFAULT_REGION", REGION).env("AWS_ENDPOINT_URL", self.endpoint);
        command.env("RCLONE_CONFIG", "").env("RCLONE_S3_ENDPOINT", self.endpoint);
        command.env("RCLONE_S3_PROVIDER", "Other").env("RCLONE_S3_ENV_AUTH", "true").env("RCLONE_S3_REGION", REGION);
        command
    }
}
