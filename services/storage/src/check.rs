//! Is the store there, and does it know us? For whoever tells how a service is, and for operators.

use crate::Storage;
use crate::error::{Error, Resource};
use aws_sdk_s3::error::ProvideErrorMetadata as _;

/// The key that is asked for. There need not be such an object.
const KEY: &str = "health";

impl Storage {
    /// Asks the store for an object of the platform's bucket. A key that may not read there is known all the same.
    ///
    /// # Errors
    /// [`Error::Denied`] if the access key or its secret is wrong, [`Error::Missing`] if the platform's bucket is,
    /// [`Error::Silent`] if the store does not answer or fails.
    pub async fn check(&self) -> Result<(), Error> {
        let bucket = self.platform().bucket;
        let asked = bucket.client.get_object().bucket(&*bucket.name).key(KEY).send().await;
        let Err(error) = asked else { return Ok(()) };
        let config = &self.config;
        match error.code() {
            Some("NoSuchKey" | "AccessDenied") => Ok(()),
            Some("NoSuchBucket") => {
                Err(Error::Missing { resource: Resource { bucket: bucket.name.to_string(), key: None } })
            }
            Some("InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
                Err(Error::Denied { endpoint: config.endpoint.clone(), access_key: config.access_key.clone() })
            }
            Some(_) | None => Err(Error::Silent { endpoint: config.endpoint.clone(), source: Box::new(error) }),
        }
    }
}
