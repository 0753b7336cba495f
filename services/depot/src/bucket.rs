//! The operations on buckets.

use redb::ReadableTable as _;
use s3s::S3ErrorCode;
use s3s::dto::{Bucket, ListBucketsInput, ListBucketsOutput};

use crate::clock;
use crate::error::Fault;
use crate::store::Store;

impl Store {
    pub(crate) async fn create_bucket(&self, bucket: String) -> Result<(), Fault> {
        self.write(move |tables| {
            if tables.buckets.get(bucket.as_str())?.is_some() {
                return Err(S3ErrorCode::BucketAlreadyOwnedByYou.into());
            }
            tables.buckets.insert(bucket.as_str(), clock::now_ms())?;
            Ok(())
        })
        .await
    }

    /// Uploads that were never completed do not keep a bucket alive; they end with it.
    pub(crate) async fn delete_bucket(&self, bucket: String) -> Result<(), Fault> {
        self.write(move |tables| {
            tables.require_bucket(&bucket)?;
            if tables.has_objects(&bucket)? {
                return Err(S3ErrorCode::BucketNotEmpty.into());
            }
            tables.remove_uploads(&bucket)?;
            tables.buckets.remove(bucket.as_str())?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn head_bucket(&self, bucket: String) -> Result<(), Fault> {
        self.read(move |snapshot| snapshot.require_bucket(&bucket)).await
    }

    /// The buckets that `is_visible` to who asks, in one page.
    pub(crate) async fn list_buckets(
        &self,
        input: ListBucketsInput,
        is_visible: impl Fn(&str) -> bool,
    ) -> Result<ListBucketsOutput, Fault> {
        let all = self.read(|snapshot| snapshot.buckets()).await?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let visible = all.into_iter().filter(|bucket| bucket.name.starts_with(&prefix) && is_visible(&bucket.name));
        let buckets = visible.map(|bucket| Bucket {
            creation_date: Some(clock::timestamp(bucket.created_ms)),
            name: Some(bucket.name),
            bucket_region: Some(self.region.clone()),
        });
        Ok(ListBucketsOutput { buckets: Some(buckets.collect()), prefix: input.prefix, ..ListBucketsOutput::default() })
    }
}
