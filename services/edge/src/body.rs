//! Bodies of answers, from memory or as they arrive. A body that is not of the announced length is an error, by which
//! the server breaks the connection: a reader never takes a part for the whole.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::Frame;

pub(crate) type Body = UnsyncBoxBody<Bytes, Broken>;

/// A body ended before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the store stopped sending")]
    Storage(#[source] storage::Error),
    #[error("the store sent another length than it announced")]
    Length,
    #[error("the server behind a route stopped sending")]
    Backend(#[source] hyper::Error),
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// `chunks` as they arrive, `length_bytes` in all.
pub(crate) fn streamed<S>(chunks: S, length_bytes: u64) -> Body
where
    S: Stream<Item = Result<Bytes, storage::Error>> + Send + 'static,
{
    let exact = stream::try_unfold((chunks.boxed(), length_bytes), |(mut chunks, missing)| async move {
        match chunks.next().await.transpose().map_err(Broken::Storage)? {
            Some(chunk) => {
                let missing = missing.checked_sub(chunk.len() as u64).ok_or(Broken::Length)?;
                Ok(Some((Frame::data(chunk), (chunks, missing))))
            }
            None if missing > 0 => Err(Broken::Length),
            None => Ok(None),
        }
    });
    StreamBody::new(exact).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(chunks: &[&'static str], length_bytes: u64) -> Result<Bytes, Broken> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        Ok(streamed(stream::iter(chunks), length_bytes).collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn a_body_of_another_length_than_announced_breaks() {
        assert_eq!(sent(&["ab", "c"], 3).await.unwrap(), "abc");
        assert!(matches!(sent(&["ab"], 3).await, Err(Broken::Length)));
        assert!(matches!(sent(&["ab", "cd"], 3).await, Err(Broken::Length)));
        assert_eq!(sent(&[], 0).await.unwrap(), "");
    }
}
