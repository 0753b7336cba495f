//! How many requests a piece of work took: what an operator pays for, and what a small change must keep small.

use crate::SiteBucket;
use crate::client::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A count of requests sent, each try of a repeated one counted.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<AtomicU64>);

impl Requests {
    /// How many were sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl SiteBucket {
    /// The same bucket, with a count of the requests that are sent through this value and its clones.
    #[must_use]
    pub fn counted(mut self) -> (Self, Requests) {
        let requests = Requests::default();
        let counting = self.bucket.client.config().to_builder().interceptor(requests.clone()).build();
        self.bucket.client = Client::from_conf(counting);
        (self, requests)
    }
}
