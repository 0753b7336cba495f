//! The tables of the index, open for one write transaction that carries many changes.
//!
//! A change checks everything that may refuse it before its first write, because the changes beside it are committed too.

use redb::{ReadableTable as _, Table, TableDefinition, WriteTransaction};
use s3s::S3ErrorCode;
use uuid::Uuid;

use crate::bodies::Guard;
use crate::error::Fault;
use crate::records::{self, NumberedPart, Object, Part, Upload};
use crate::spool::{Content, Staged};

/// Bucket name to its creation time in milliseconds.
pub(crate) const BUCKETS: TableDefinition<&str, i64> = TableDefinition::new("buckets");
/// Bucket and key to an [`Object`]. Keys are bytes, so that a listing can seek past a prefix that is no text.
pub(crate) const OBJECTS: TableDefinition<(&str, &[u8]), &[u8]> = TableDefinition::new("objects");
/// Body id to the number of records that name it, and its bytes when they are not in a file.
pub(crate) const BODIES: TableDefinition<u128, (u32, Option<&[u8]>)> = TableDefinition::new("bodies");
/// Bucket, key and upload id to an [`Upload`].
pub(crate) const UPLOADS: TableDefinition<(&str, &[u8], u128), &[u8]> = TableDefinition::new("uploads");
/// Upload id and part number to a [`Part`].
pub(crate) const PARTS: TableDefinition<(u128, u32), &[u8]> = TableDefinition::new("parts");

pub(crate) struct Tables<'txn> {
    pub buckets: Table<'txn, &'static str, i64>,
    objects: Table<'txn, (&'static str, &'static [u8]), &'static [u8]>,
    bodies: Table<'txn, u128, (u32, Option<&'static [u8]>)>,
    uploads: Table<'txn, (&'static str, &'static [u8], u128), &'static [u8]>,
    parts: Table<'txn, (u128, u32), &'static [u8]>,
    pub files: Files,
}

/// What the commit decides: files it publishes and files nothing names any more.
#[derive(Default)]
pub(crate) struct Files {
    pub arrived: Vec<Guard>,
    pub freed: Vec<Uuid>,
}

impl<'txn> Tables<'txn> {
    pub(crate) fn open(transaction: &'txn WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            buckets: transaction.open_table(BUCKETS)?,
            objects: transaction.open_table(OBJECTS)?,
            bodies: transaction.open_table(BODIES)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            files: Files::default(),
        })
    }

    pub(crate) fn require_bucket(&self, bucket: &str) -> Result<(), Fault> {
        match self.buckets.get(bucket)? {
            Some(_) => Ok(()),
            None => Err(S3ErrorCode::NoSuchBucket.into()),
        }
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<Option<Object>, Fault> {
        let row = self.objects.get((bucket, key.as_bytes()))?;
        row.map(|row| records::decode(row.value())).transpose()
    }

    pub(crate) fn has_objects(&self, bucket: &str) -> Result<bool, Fault> {
        let first = self.objects.range((bucket, b"".as_slice())..)?.next().transpose()?;
        Ok(first.is_some_and(|(key, _)| key.value().0 == bucket))
    }

    /// Publishes `object`; what the key named before loses that name.
    pub(crate) fn put_object(&mut self, bucket: &str, key: &str, object: &Object) -> Result<(), Fault> {
        let row = records::encode(object)?;
        let old = self.objects.insert((bucket, key.as_bytes()), row.as_slice())?;
        let old = old.map(|old| records::decode::<Object>(old.value())).transpose()?;
        old.map_or(Ok(()), |old| self.release(old.body))
    }

    pub(crate) fn remove_object(&mut self, bucket: &str, key: &str) -> Result<(), Fault> {
        let old = self.objects.remove((bucket, key.as_bytes()))?;
        let old = old.map(|old| records::decode::<Object>(old.value())).transpose()?;
        old.map_or(Ok(()), |old| self.release(old.body))
    }

    /// Takes a staged body into the index, named once.
    pub(crate) fn put_body(&mut self, staged: Staged) -> Result<(), Fault> {
        let id = staged.id.as_u128();
        match staged.content {
            Content::Inline(bytes) => {
                self.bodies.insert(id, (1, Some(bytes.as_slice())))?;
            }
            Content::File(guard) => {
                self.bodies.insert(id, (1, None))?;
                self.files.arrived.push(guard);
            }
        }
        Ok(())
    }

    /// One more record names the body.
    pub(crate) fn share(&mut self, body: Uuid) -> Result<(), Fault> {
        self.change_uses(body, |uses| uses + 1)
    }

    /// One record fewer names the body; the last one takes the body with it.
    fn release(&mut self, body: Uuid) -> Result<(), Fault> {
        self.change_uses(body, |uses| uses.saturating_sub(1))
    }

    fn change_uses(&mut self, body: Uuid, change: impl FnOnce(u32) -> u32) -> Result<(), Fault> {
        let id = body.as_u128();
        let row = self.bodies.remove(id)?.map(|row| {
            let (uses, bytes) = row.value();
            (change(uses), bytes.map(<[u8]>::to_vec))
        });
        match row {
            Some((0, None)) => self.files.freed.push(body),
            Some((0, Some(_))) | None => {}
            Some((uses, bytes)) => {
                self.bodies.insert(id, (uses, bytes.as_deref()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn put_upload(&mut self, path: UploadPath<'_>, upload: &Upload) -> Result<(), Fault> {
        self.uploads.insert(path.row(), records::encode(upload)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn upload(&self, path: UploadPath<'_>) -> Result<Upload, Fault> {
        match self.uploads.get(path.row())? {
            Some(row) => records::decode(row.value()),
            None => Err(S3ErrorCode::NoSuchUpload.into()),
        }
    }

    /// Ends an upload and releases all its parts.
    pub(crate) fn remove_upload(&mut self, path: UploadPath<'_>) -> Result<(), Fault> {
        self.uploads.remove(path.row())?;
        for NumberedPart { number, part } in self.parts(path.id)? {
            self.parts.remove((path.id.as_u128(), number))?;
            self.release(part.body)?;
        }
        Ok(())
    }

    /// Ends every upload of a bucket that is about to go.
    pub(crate) fn remove_uploads(&mut self, bucket: &str) -> Result<(), Fault> {
        let mut paths = Vec::new();
        for row in self.uploads.range((bucket, b"".as_slice(), 0)..)? {
            let (path, _) = row?;
            let (owner, key, id) = path.value();
            if owner != bucket {
                break;
            }
            paths.push((key.to_vec(), Uuid::from_u128(id)));
        }
        for (key, id) in paths {
            self.remove_upload(UploadPath { bucket, key: &key, id })?;
        }
        Ok(())
    }

    pub(crate) fn put_part(&mut self, upload: Uuid, number: u32, part: &Part) -> Result<(), Fault> {
        let row = records::encode(part)?;
        let old = self.parts.insert((upload.as_u128(), number), row.as_slice())?;
        let old = old.map(|old| records::decode::<Part>(old.value())).transpose()?;
        old.map_or(Ok(()), |old| self.release(old.body))
    }

    pub(crate) fn parts(&self, upload: Uuid) -> Result<Vec<NumberedPart>, Fault> {
        let rows = self.parts.range((upload.as_u128(), 0)..=(upload.as_u128(), u32::MAX))?;
        rows.map(|row| {
            let (key, part) = row?;
            Ok(NumberedPart { number: key.value().1, part: records::decode(part.value())? })
        })
        .collect()
    }
}

/// Where an upload lies: its id alone does not find it, so it cannot be guessed across buckets and keys.
#[derive(Clone, Copy)]
pub(crate) struct UploadPath<'a> {
    pub bucket: &'a str,
    pub key: &'a [u8],
    pub id: Uuid,
}

impl<'a> UploadPath<'a> {
    pub(crate) fn row(self) -> (&'a str, &'a [u8], u128) {
        (self.bucket, self.key, self.id.as_u128())
    }
}
