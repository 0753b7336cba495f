//! The digests of a body: what the client claims, computed while the body arrives and compared before it is published.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::S3ErrorCode;
use s3s::TrailingHeaders;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::Checksum;

use crate::error::Fault;

const TRAILER: &str = "x-amz-trailer";
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// The digests a client claims. A trailing one is named by a header before the body and known only after it.
#[derive(Default)]
pub(crate) struct Claims {
    md5: Option<String>,
    checksums: [Option<String>; 5],
    trailing: Vec<usize>,
    trailers: Option<TrailingHeaders>,
}

impl Claims {
    pub(crate) fn new(md5: Option<String>, checksum: Checksum) -> Result<Self, Fault> {
        if let Some(claimed) = &md5 {
            let is_digest = STANDARD.decode(claimed).is_ok_and(|bytes| bytes.len() == 16);
            if !is_digest {
                return Err(S3ErrorCode::InvalidDigest.into());
            }
        }
        Ok(Self { md5, checksums: values(checksum), ..Self::default() })
    }

    pub(crate) fn with_trailers(mut self, headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> Self {
        let announced = headers.get_all(TRAILER).iter().filter_map(|value| value.to_str().ok());
        let names = announced.flat_map(|value| value.split(',')).map(str::trim);
        self.trailing = names.filter_map(algorithm).collect();
        self.trailers = trailers;
        self
    }

    /// A composite checksum, of the parts' checksums, has a dash.
    pub(crate) fn has_composite(&self) -> bool {
        self.checksums.iter().flatten().any(|value| value.contains('-'))
    }

    fn wants(&self, algorithm: usize) -> bool {
        self.checksums[algorithm].is_some() || self.trailing.contains(&algorithm)
    }

    fn trailing_value(&self, algorithm: usize) -> Option<String> {
        let name = format!("x-amz-checksum-{}", ALGORITHMS[algorithm]);
        let read = |headers: &HeaderMap| headers.get(name)?.to_str().ok().map(str::to_owned);
        self.trailers.as_ref()?.read(read).flatten()
    }

    /// A checksum that was announced and never came counts as wrong.
    fn agree(&self, md5: [u8; 16], computed: &[Option<String>; 5]) -> bool {
        let md5_agrees = self.md5.as_ref().is_none_or(|claimed| *claimed == STANDARD.encode(md5));
        let given =
            self.checksums.iter().zip(computed).all(|(claimed, computed)| claimed.is_none() || claimed == computed);
        let trailing = self.trailing.iter().all(|&algorithm| {
            let claimed = self.trailing_value(algorithm);
            claimed.is_some() && claimed == computed[algorithm]
        });
        md5_agrees && given && trailing
    }
}

fn algorithm(trailer: &str) -> Option<usize> {
    let name = trailer.strip_prefix("x-amz-checksum-")?;
    ALGORITHMS.iter().position(|algorithm| *algorithm == name)
}

fn values(checksum: Checksum) -> [Option<String>; 5] {
    [
        checksum.checksum_crc32,
        checksum.checksum_crc32c,
        checksum.checksum_crc64nvme,
        checksum.checksum_sha1,
        checksum.checksum_sha256,
    ]
}

/// The running digests of one body.
pub(crate) struct Digest {
    md5: Md5,
    checksums: ChecksumHasher,
}

/// The digests of a body that agree with all that was claimed.
pub(crate) struct Digested {
    pub md5: [u8; 16],
    pub checksum: Checksum,
}

impl Digest {
    pub(crate) fn new(claims: &Claims) -> Self {
        let checksums = ChecksumHasher {
            crc32: claims.wants(0).then(Crc32::new),
            crc32c: claims.wants(1).then(Crc32c::new),
            crc64nvme: claims.wants(2).then(Crc64Nvme::new),
            sha1: claims.wants(3).then(Sha1::new),
            sha256: claims.wants(4).then(Sha256::new),
        };
        Self { md5: Md5::new(), checksums }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksums.update(bytes);
    }

    pub(crate) fn finish(self, claims: &Claims) -> Result<Digested, Fault> {
        let md5 = self.md5.finalize();
        let checksum = self.checksums.finalize();
        if claims.agree(md5, &values(checksum.clone())) {
            Ok(Digested { md5, checksum })
        } else {
            Err(S3ErrorCode::BadDigest.into())
        }
    }
}
