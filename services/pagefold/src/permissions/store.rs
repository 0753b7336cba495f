//! Who has a key of the object store, and what it opens: one table, for the S3 server of `up` and for the policies of any
//! other.

use clap::Args;
use serde_json::{Value, json};

/// What each key may do.
pub(crate) const KEYS: &[(&str, &[Right])] = &[
    ("web", &[(Bucket::Platform, Access::Read), (Bucket::Uploads, Access::Add), (Bucket::Sites, Access::Read)]),
    ("launcher", &[(Bucket::Platform, Access::Add)]),
    ("syncer", &[(Bucket::Platform, Access::Keep), (Bucket::Sites, Access::Keep)]),
    ("edge", &[(Bucket::Sites, Access::Read)]),
    ("operator", &[(Bucket::Platform, Access::Read), (Bucket::Sites, Access::Read)]),
];

/// What a key may do in a bucket, or in each of a family.
pub(crate) type Right = (Bucket, Access);

/// Which buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// That of artifacts and logs.
    Platform,
    /// The part of it that folders are uploaded to.
    Uploads,
    /// One for each site.
    Sites,
}

/// What may be done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and list objects.
    Read,
    /// Write objects, and end one's own unfinished uploads; not read them.
    Add,
    /// Everything, the bucket's beginning and a site's end too.
    Keep,
}

/// What the buckets are called.
#[derive(Debug, Clone, Args)]
pub(crate) struct Names {
    /// What the name of a site's bucket begins with
    #[arg(long, env = "PAGEFOLD_S3_SITE_BUCKET_PREFIX", default_value = storage::SITE_BUCKET_PREFIX)]
    s3_site_bucket_prefix: String,
    /// The bucket of artifacts and logs
    #[arg(long, env = "PAGEFOLD_S3_PLATFORM_BUCKET", default_value = storage::PLATFORM_BUCKET)]
    s3_platform_bucket: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            s3_site_bucket_prefix: storage::SITE_BUCKET_PREFIX.to_owned(),
            s3_platform_bucket: storage::PLATFORM_BUCKET.to_owned(),
        }
    }
}

impl Access {
    fn of_buckets(self, bucket: Bucket) -> &'static [&'static str] {
        match (self, bucket) {
            // What is done to a bucket is done to all of its parts.
            (_, Bucket::Uploads) => &[],
            // Without it, what is not there is told as forbidden.
            (Self::Read, _) => &["s3:ListBucket"],
            (Self::Add, _) => &["s3:ListBucketMultipartUploads"],
            (Self::Keep, Bucket::Platform) => &["s3:CreateBucket", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            (Self::Keep, Bucket::Sites) => {
                &["s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
            }
        }
    }

    const fn of_objects(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["s3:GetObject"],
            Self::Add => &["s3:AbortMultipartUpload", "s3:PutObject"],
            Self::Keep => &["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        }
    }

    /// The same as the S3 server of `up` knows it.
    const fn of_depot(self) -> depot::Access {
        match self {
            Self::Read => depot::Access::Read,
            Self::Add => depot::Access::Add,
            Self::Keep => depot::Access::Write,
        }
    }
}

impl Names {
    fn of(&self, bucket: Bucket) -> String {
        match bucket {
            Bucket::Platform => self.s3_platform_bucket.clone(),
            Bucket::Uploads => format!("{}/{}*", self.s3_platform_bucket, storage::keys::UPLOADS),
            Bucket::Sites => format!("{}*", self.s3_site_bucket_prefix),
        }
    }

    /// The rights as a policy of AWS IAM, which other stores understand too.
    pub(crate) fn policy(&self, rights: &[Right]) -> Value {
        let statement =
            |actions: &[&str], resource: String| json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
        let statements = |(bucket, access): &Right| {
            let resource = format!("arn:aws:s3:::{}", self.of(*bucket));
            let actions = access.of_buckets(*bucket);
            if actions.is_empty() {
                return vec![statement(access.of_objects(), resource)];
            }
            let objects = statement(access.of_objects(), format!("{resource}/*"));
            vec![statement(actions, resource), objects]
        };
        json!({ "Version": "2012-10-17", "Statement": rights.iter().flat_map(statements).collect::<Vec<_>>() })
    }

    /// The rights as the S3 server of `up` knows them.
    pub(crate) fn grants(&self, rights: &[Right]) -> Vec<depot::Grant> {
        rights
            .iter()
            .map(|(bucket, access)| depot::Grant { buckets: self.of(*bucket), access: access.of_depot() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(service: &str) -> &'static [Right] {
        KEYS.iter().find(|(name, _)| *name == service).unwrap().1
    }

    #[test]
    fn a_policy_names_each_action_and_where_it_may_be_done() {
        let names = Names { s3_site_bucket_prefix: "acme-site-".into(), s3_platform_bucket: "acme".into() };
        let expected = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::acme-site-*" },
            { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::acme-site-*/*" },
        ] });
        assert_eq!(names.policy(of("edge")), expected);
        let launcher = names.policy(of("launcher")).to_string();
        assert!(launcher.contains("s3:PutObject") && launcher.contains("arn:aws:s3:::acme/*"), "{launcher}");
        for other in ["s3:GetObject", "s3:DeleteObject", "s3:ListBucket\"", "acme-site-"] {
            assert!(!launcher.contains(other), "{other}: {launcher}");
        }
    }

    #[test]
    fn only_the_syncer_removes_and_nobody_has_every_action() {
        for (service, rights) in KEYS {
            let policy = Names::default().policy(rights).to_string();
            assert_eq!(policy.contains("s3:Delete"), *service == "syncer", "{service}");
            assert!(!policy.contains("s3:*") && !policy.contains("\"*\""), "{service}");
        }
    }

    #[test]
    fn the_server_of_up_grants_writing_to_those_whose_policy_has_it() {
        for (service, rights) in KEYS {
            let grants = Names::default().grants(rights);
            let writes = grants.iter().any(|grant| grant.access != depot::Access::Read);
            assert_eq!(Names::default().policy(rights).to_string().contains("s3:PutObject"), writes, "{service}");
        }
    }
}
