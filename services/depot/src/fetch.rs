//! Gets and heads. An open file keeps its bytes, so a reader sees one whole version however often the key is overwritten.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use hyper::HeaderMap;
use hyper::header::{CONTENT_RANGE, ETAG, HeaderName, HeaderValue};
use s3s::dto::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range, StreamingBlob};
use s3s::{Body, S3Error, S3ErrorCode, S3Result};
use uuid::Uuid;

use crate::clock;
use crate::condition::{OnRead, Verdict};
use crate::error::Fault;
use crate::index::Index;
use crate::object::refuse_version;
use crate::records::Object;
use crate::store::Store;

/// How much one trip to a blocking thread reads.
const READ_BYTES: u64 = 256 * 1024;

/// What S3 answers for an object that was given no type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

enum Content {
    Inline(Bytes),
    File(Arc<File>),
}

impl Store {
    pub(crate) async fn get(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        refuse_version(input.version_id.as_deref())?;
        if input.part_number.is_some() {
            return Err(S3ErrorCode::NotImplemented.into());
        }
        let condition = OnRead {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let bodies = Arc::clone(&self.bodies);
        let asked = input.range;
        let find = move |index: &Index| find(index, |id| bodies.open(id), &input.bucket, &input.key, &condition);
        let (object, found) = self.read_index(find).await?;
        let content = found.map_err(|verdict| unread(&object, verdict))?;
        let range = asked.map(|range| satisfy(range, object.size)).transpose()?;
        Ok(output(object, content, range))
    }

    pub(crate) async fn head(&self, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
        refuse_version(input.version_id.as_deref())?;
        let (bucket, key) = (input.bucket, input.key);
        let object = self.read(move |snapshot| snapshot.object(&bucket, &key)).await?;
        let condition = OnRead {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        match condition.check(&object) {
            Verdict::Read => {}
            verdict @ (Verdict::NotModified | Verdict::Failed) => return Err(unread(&object, verdict)),
        }
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".into()),
            content_length: i64::try_from(object.size).ok(),
            e_tag: Some(object.etag()),
            last_modified: Some(clock::timestamp(object.modified_ms)),
            expires: object.headers.expires(),
            metadata: object.headers.metadata(),
            cache_control: object.headers.cache_control,
            content_disposition: object.headers.content_disposition,
            content_encoding: object.headers.content_encoding,
            content_language: object.headers.content_language,
            content_type: Some(object.headers.content_type.unwrap_or_else(|| DEFAULT_TYPE.into())),
            website_redirect_location: object.headers.website_redirect_location,
            ..HeadObjectOutput::default()
        })
    }
}

type Found = (Object, Result<Content, Verdict>);

/// A body file can be gone between reading its row and opening it, when the key was overwritten; then the row is new too.
fn find(
    index: &Index,
    mut open: impl FnMut(Uuid) -> io::Result<File>,
    bucket: &str,
    key: &str,
    condition: &OnRead,
) -> Result<Found, Fault> {
    let mut missing = None;
    loop {
        let snapshot = index.snapshot()?;
        let object = snapshot.object(bucket, key)?;
        match condition.check(&object) {
            Verdict::Read => {}
            verdict @ (Verdict::NotModified | Verdict::Failed) => return Ok((object, Err(verdict))),
        }
        if let Some(bytes) = snapshot.inline_body(object.body)? {
            return Ok((object, Ok(Content::Inline(bytes.into()))));
        }
        match open(object.body) {
            Ok(file) => return Ok((object, Ok(Content::File(Arc::new(file))))),
            Err(error) if error.kind() == ErrorKind::NotFound && missing != Some(object.body) => {
                missing = Some(object.body);
            }
            Err(error) => return Err(Fault::File(error)),
        }
    }
}

/// The answer instead of an object whose condition does not hold. A cache needs the tag to renew what it has.
fn unread(object: &Object, verdict: Verdict) -> S3Error {
    let code = match verdict {
        Verdict::NotModified => S3ErrorCode::NotModified,
        Verdict::Read | Verdict::Failed => S3ErrorCode::PreconditionFailed,
    };
    with_header(code, ETAG, format!("\"{}\"", object.etag))
}

fn with_header(code: S3ErrorCode, name: HeaderName, value: String) -> S3Error {
    let mut error = S3Error::new(code);
    if let Ok(value) = HeaderValue::try_from(value) {
        error.set_headers(HeaderMap::from_iter([(name, value)]));
    }
    error
}

/// No range of an empty object can be satisfied, not even its last bytes.
fn satisfy(range: Range, size: u64) -> S3Result<ops::Range<u64>> {
    let satisfied = range.check(size).ok().filter(|range| !range.is_empty());
    satisfied.ok_or_else(|| with_header(S3ErrorCode::InvalidRange, CONTENT_RANGE, format!("bytes */{size}")))
}

fn output(object: Object, content: Content, range: Option<ops::Range<u64>>) -> GetObjectOutput {
    let content_range = range.as_ref().map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, object.size));
    let range = range.unwrap_or(0..object.size);
    GetObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: i64::try_from(range.end - range.start).ok(),
        content_range,
        body: Some(body(content, range)),
        e_tag: Some(object.etag()),
        last_modified: Some(clock::timestamp(object.modified_ms)),
        expires: object.headers.expires(),
        metadata: object.headers.metadata(),
        cache_control: object.headers.cache_control,
        content_disposition: object.headers.content_disposition,
        content_encoding: object.headers.content_encoding,
        content_language: object.headers.content_language,
        content_type: Some(object.headers.content_type.unwrap_or_else(|| DEFAULT_TYPE.into())),
        website_redirect_location: object.headers.website_redirect_location,
        ..GetObjectOutput::default()
    }
}

fn body(content: Content, range: ops::Range<u64>) -> StreamingBlob {
    match content {
        Content::Inline(bytes) => {
            let index = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            StreamingBlob::from(Body::from(bytes.slice(index(range.start)..index(range.end))))
        }
        Content::File(file) => StreamingBlob::wrap(chunks(file, range)),
    }
}

fn chunks(file: Arc<File>, range: ops::Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    futures::stream::try_unfold((file, range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start + READ_BYTES);
        let (reader, offset) = (Arc::clone(&file), range.start);
        let length = usize::try_from(end - offset).map_err(io::Error::other)?;
        let read = move || {
            let mut buffer = vec![0; length];
            reader.read_exact_at(&mut buffer, offset).map(|()| Bytes::from(buffer))
        };
        let bytes = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
        Ok(Some((bytes, (file, end..range.end))))
    })
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::condition::OnWrite;
    use crate::headers::Headers;
    use crate::object::Publication;
    use crate::spool::{self, Staged};

    fn staged(store: &Store, body: &[u8]) -> Staged {
        let mut draft = store.bodies.create().unwrap();
        draft.write(body).unwrap();
        let size = body.len() as u64;
        Staged { id: draft.id, size, content: spool::Content::File(draft.finish().unwrap()) }
    }

    async fn publish(store: &Store, version: &str) {
        let staged = staged(store, version.as_bytes());
        let publication = Publication {
            bucket: "bucket".into(),
            key: "k".into(),
            etag: version.into(),
            headers: Headers::default(),
            condition: OnWrite::default(),
        };
        store.write(move |tables| publication.publish(tables, staged)).await.unwrap();
    }

    async fn store(directory: &tempfile::TempDir) -> Arc<Store> {
        let store = Store::open(directory.path().to_owned(), "region".into()).await.unwrap();
        store.create_bucket("bucket".into()).await.unwrap();
        publish(&store, "first").await;
        Arc::new(store)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_version_replaced_before_it_is_opened_gives_way_to_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let (writer, runtime) = (Arc::clone(&store), Handle::current());
        let mut is_replaced = false;
        let open = move |id| {
            if !std::mem::replace(&mut is_replaced, true) {
                runtime.block_on(publish(&writer, "second"));
                // The file goes soon after the commit, and may be gone already.
                writer.bodies.remove(id);
            }
            writer.bodies.open(id)
        };
        let find = move |index: &Index| find(index, open, "bucket", "k", &OnRead::default());
        let (object, content) = store.read_index(find).await.unwrap();
        assert_eq!(object.etag, "second");
        assert!(matches!(content, Ok(Content::File(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_that_is_lost_is_an_error_and_no_endless_search() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let open = |_| Err(ErrorKind::NotFound.into());
        let find = move |index: &Index| find(index, open, "bucket", "k", &OnRead::default());
        assert!(matches!(store.read_index(find).await, Err(Fault::File(_))));
    }
}
