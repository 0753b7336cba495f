//! One bucket: the few S3 operations that everything here is made of, with errors that say what was asked of what.

mod reading;

pub(crate) use reading::Tagged;

use crate::body::Body;
use crate::client::{self, Client};
use crate::error::{Error, Resource};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    self, BucketLocationConstraint, CreateBucketConfiguration, Delete, EncodingType, ObjectIdentifier,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use events::Digest;
use percent_encoding::percent_decode_str;
use std::sync::Arc;

const NOT_FOUND: u16 = 404;
/// Two writers of one key met; one of them won.
const CONFLICT: u16 = 409;
const PRECONDITION_FAILED: u16 = 412;
/// The region that must not be named when a bucket is created, by the S3 protocol.
const UNNAMED_REGION: &str = "us-east-1";
/// Keys in one removal, by the S3 protocol.
const REMOVED_AT_ONCE: usize = 1000;

#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub client: Client,
    pub name: Arc<str>,
    pub region: Arc<str>,
}

/// An object, as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// What is written with an object besides its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Put<'a> {
    pub content_type: Option<&'a str>,
    pub cache_control: Option<&'a str>,
    /// The store checks the body against it, which also spares hashing the body again for the signature.
    pub sha256: Option<Digest>,
    /// Refuse to replace an object.
    pub only_new: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Yes,
    /// There is an object already and it was to be kept.
    Kept,
}

impl Bucket {
    pub(crate) fn resource(&self, key: &str) -> Resource {
        Resource { bucket: self.name.to_string(), key: Some(key.to_owned()) }
    }

    fn itself(&self) -> Resource {
        Resource { bucket: self.name.to_string(), key: None }
    }

    /// Creates the bucket unless it is there. Whoever may not create buckets can use one that is.
    pub(crate) async fn ensure(&self) -> Result<(), Error> {
        if self.exists().await? {
            return Ok(());
        }
        let constraint = BucketLocationConstraint::from(&*self.region);
        let location = CreateBucketConfiguration::builder().location_constraint(constraint).build();
        let location = (&*self.region != UNNAMED_REGION).then_some(location);
        let request = self.client.create_bucket().bucket(&*self.name).set_create_bucket_configuration(location);
        let Err(error) = request.send().await.map_err(|error| Error::request("create", self.itself(), error)) else {
            return Ok(());
        };
        // Another process may have been quicker.
        if error.status() == Some(CONFLICT) && self.exists().await? { Ok(()) } else { Err(error) }
    }

    async fn exists(&self) -> Result<bool, Error> {
        let head = self.client.head_bucket().bucket(&*self.name).send().await;
        found(head.map_err(|error| Error::request("look for", self.itself(), error))).map(|head| head.is_some())
    }

    pub(crate) async fn put(&self, key: &str, body: Body, with: Put<'_>) -> Result<Written, Error> {
        let (request, time) = (self.client.put_object().bucket(&*self.name).key(key), client::sending(body.size()));
        let request = request
            .set_content_type(with.content_type.map(str::to_owned))
            .set_cache_control(with.cache_control.map(str::to_owned))
            .set_checksum_sha256(with.sha256.map(|digest| STANDARD.encode(digest.as_bytes())))
            .set_if_none_match(with.only_new.then(|| "*".to_owned()))
            .body(body.stream().await?);
        let request = request.customize().config_override(client::within(time));
        let request = if with.sha256.is_some() { request.disable_payload_signing() } else { request };
        let sent = request.send().await;
        match sent.map_err(|error| Error::request("write", self.resource(key), error)) {
            Ok(_) => Ok(Written::Yes),
            Err(error) if with.only_new && matches!(error.status(), Some(PRECONDITION_FAILED | CONFLICT)) => {
                Ok(Written::Kept)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a small object if it is still the version `expected`, or still absent; returns its new tag, or `None` if
    /// somebody else wrote it meanwhile.
    pub(crate) async fn swap(&self, key: &str, expected: Option<&str>, body: Bytes) -> Result<Option<String>, Error> {
        let request = self.client.put_object().bucket(&*self.name).key(key).body(ByteStream::from(body));
        let request = match expected {
            Some(tag) => request.if_match(tag),
            None => request.if_none_match("*"),
        };
        match request.send().await.map_err(|error| Error::request("write", self.resource(key), error)) {
            Ok(written) => Ok(Some(written.e_tag.unwrap_or_default())),
            Err(error) if matches!(error.status(), Some(PRECONDITION_FAILED | CONFLICT)) => Ok(None),
            // What was to be replaced is gone.
            Err(error) if expected.is_some() && error.status() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Harmless if there is no such object.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        let deleted = self.client.delete_object().bucket(&*self.name).key(key).send().await;
        found(deleted.map_err(|error| Error::request("remove", self.resource(key), error))).map(|_| ())
    }

    /// All objects whose keys start with `prefix`, in order of keys; none if there is no bucket.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        // A key may hold characters that XML cannot.
        let request = self.client.list_objects_v2().bucket(&*self.name).prefix(prefix).encoding_type(EncodingType::Url);
        let mut pages = request.into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let Some(page) = found(page.map_err(|error| Error::request("list", self.resource(prefix), error)))? else {
                break;
            };
            let object = |listed: &types::Object| {
                let size = listed.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                listed.key().map(|key| Object { key: decoded(key), size })
            };
            objects.extend(page.contents().iter().filter_map(object));
        }
        Ok(objects)
    }

    /// Removes objects; those that are not there count as removed.
    pub(crate) async fn delete_all(&self, keys: impl IntoIterator<Item = String>) -> Result<(), Error> {
        let keys: Vec<String> = keys.into_iter().collect();
        for chunk in keys.chunks(REMOVED_AT_ONCE) {
            let named = |key: &String| ObjectIdentifier::builder().key(key).build();
            let objects = chunk.iter().map(named).collect::<Result<Vec<_>, _>>();
            let removal = objects.and_then(|objects| Delete::builder().quiet(true).set_objects(Some(objects)).build());
            let removal = removal.map_err(|error| self.refused("remove objects of", error))?;
            let answer = self.client.delete_objects().bucket(&*self.name).delete(removal).send().await;
            let answer = answer.map_err(|error| Error::request("remove objects of", self.itself(), error))?;
            if let Some(error) = answer.errors().first() {
                let resource = self.resource(error.key().unwrap_or_default());
                let code = error.code().unwrap_or("unknown");
                let transient = matches!(code, "InternalError" | "SlowDown" | "ServiceUnavailable");
                let source = format!("the store answered `{code}`").into();
                return Err(Error::Request { operation: "remove", resource, status: None, transient, source });
            }
        }
        Ok(())
    }

    /// Removes the bucket, which must be empty. Harmless if there is none.
    pub(crate) async fn remove(&self) -> Result<(), Error> {
        let removed = self.client.delete_bucket().bucket(&*self.name).send().await;
        found(removed.map_err(|error| Error::request("remove", self.itself(), error))).map(|_| ())
    }

    fn refused(&self, operation: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::Request { operation, resource: self.itself(), status: None, transient: false, source: Box::new(source) }
    }
}

/// What is not there is an answer, not an error.
pub(crate) fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.status() == Some(NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A key of a listing with `encoding-type=url`, where a space may be a plus sign, as in a form.
pub(crate) fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}
