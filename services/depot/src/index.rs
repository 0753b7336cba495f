//! The index: which buckets, objects, uploads and bodies exist. Writes are grouped, reads see one committed state.

use std::path::Path;
use std::sync::Arc;

use redb::{
    AccessGuard, Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    TableDefinition,
};
use s3s::S3ErrorCode;
use uuid::Uuid;

use crate::bodies::Bodies;
use crate::error::{Error, Fault};
use crate::records::{self, NumberedPart, Object, Upload};
use crate::tables::{BODIES, BUCKETS, OBJECTS, PARTS, Tables, UPLOADS, UploadPath};
use crate::writer::Writer;

const FILE_NAME: &str = "index.redb";

/// What the index keeps in memory. The rest of its pages is the operating system's to cache.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The writer stands first because it must have stopped before the database closes.
pub(crate) struct Index {
    pub(crate) writer: Writer,
    database: Arc<Database>,
}

impl Index {
    /// Locks and opens the index, then sweeps the bodies it does not know.
    pub(crate) fn open(root: &Path, bodies: &Arc<Bodies>) -> Result<Self, Error> {
        let path = root.join(FILE_NAME);
        let failed = |source| Error::Index { path: path.clone(), source };
        let database = match Database::builder().set_cache_size(CACHE_BYTES).create(&path) {
            Ok(database) => Arc::new(database),
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(Error::InUse { root: root.to_owned() }),
            Err(error) => return Err(failed(Box::new(error.into()))),
        };
        create_tables(&database).map_err(|error| failed(Box::new(error)))?;
        let writer = Writer::start(Arc::clone(&database), Arc::clone(bodies))?;
        Ok(Self { writer, database })
    }

    /// A read of one committed state. It blocks, so it belongs on a blocking thread.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Fault> {
        self.database.begin_read().map(Snapshot).map_err(Fault::index)
    }
}

/// A read of a table that was never written fails, so all exist from the start.
fn create_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    drop(Tables::open(&transaction)?);
    transaction.commit()?;
    Ok(())
}

pub(crate) struct Snapshot(ReadTransaction);

/// A bucket as it is listed.
pub(crate) struct NamedBucket {
    pub name: String,
    pub created_ms: i64,
}

/// An upload as it is listed.
pub(crate) struct UnfinishedUpload {
    pub key: String,
    pub id: Uuid,
    pub initiated_ms: i64,
}

/// An object row that is decoded only when it is listed.
pub(crate) type Row = AccessGuard<'static, &'static [u8]>;

impl Snapshot {
    fn table<K: redb::Key, V: redb::Value>(
        &self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, Fault> {
        self.0.open_table(table).map_err(Fault::index)
    }

    pub(crate) fn require_bucket(&self, bucket: &str) -> Result<(), Fault> {
        match self.table(BUCKETS)?.get(bucket)? {
            Some(_) => Ok(()),
            None => Err(S3ErrorCode::NoSuchBucket.into()),
        }
    }

    /// In order of name.
    pub(crate) fn buckets(&self) -> Result<Vec<NamedBucket>, Fault> {
        let table = self.table(BUCKETS)?;
        let rows = table.iter()?;
        rows.map(|row| {
            let (name, created) = row?;
            Ok(NamedBucket { name: name.value().to_owned(), created_ms: created.value() })
        })
        .collect()
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<Object, Fault> {
        if let Some(row) = self.table(OBJECTS)?.get((bucket, key.as_bytes()))? {
            return records::decode(row.value());
        }
        self.require_bucket(bucket)?;
        Err(S3ErrorCode::NoSuchKey.into())
    }

    /// The bucket's rows whose keys are `start` or follow it.
    pub(crate) fn objects_from(
        &self,
        bucket: &str,
        start: &[u8],
    ) -> Result<impl Iterator<Item = Result<(Vec<u8>, Row), Fault>> + use<>, Fault> {
        let owner = bucket.to_owned();
        let rows = self.table(OBJECTS)?.range((bucket, start)..)?;
        let keyed = rows.map(|row| {
            let (key, row) = row?;
            let (bucket, key) = key.value();
            Ok((bucket.to_owned(), key.to_vec(), row))
        });
        let within = keyed.take_while(move |row| row.as_ref().map_or(true, |(bucket, ..)| *bucket == owner));
        Ok(within.map(|row| row.map(|(_, key, row)| (key, row))))
    }

    pub(crate) fn knows_body(&self, id: Uuid) -> Result<bool, Fault> {
        Ok(self.table(BODIES)?.get(id.as_u128())?.is_some())
    }

    /// The bytes of a body that lies in the index, or `None` for one in a file.
    pub(crate) fn inline_body(&self, id: Uuid) -> Result<Option<Vec<u8>>, Fault> {
        let row = self.table(BODIES)?.get(id.as_u128())?;
        Ok(row.and_then(|row| row.value().1.map(<[u8]>::to_vec)))
    }

    pub(crate) fn upload(&self, path: UploadPath<'_>) -> Result<Upload, Fault> {
        match self.table(UPLOADS)?.get(path.row())? {
            Some(row) => records::decode(row.value()),
            None => Err(S3ErrorCode::NoSuchUpload.into()),
        }
    }

    /// The uploads of a bucket that follow one, which need not be there.
    pub(crate) fn uploads_after(&self, path: UploadPath<'_>) -> Result<Vec<UnfinishedUpload>, Fault> {
        let mut uploads = Vec::new();
        for row in self.table(UPLOADS)?.range(path.row()..)? {
            let (there, upload) = row?;
            let (bucket, key, id) = there.value();
            if bucket != path.bucket {
                break;
            }
            if there.value() != path.row() {
                let (key, id) = (String::from_utf8_lossy(key).into_owned(), Uuid::from_u128(id));
                let Upload { initiated_ms, .. } = records::decode(upload.value())?;
                uploads.push(UnfinishedUpload { key, id, initiated_ms });
            }
        }
        Ok(uploads)
    }

    pub(crate) fn parts(&self, upload: Uuid) -> Result<Vec<NumberedPart>, Fault> {
        let rows = self.table(PARTS)?.range((upload.as_u128(), 0)..=(upload.as_u128(), u32::MAX))?;
        rows.map(|row| {
            let (key, part) = row?;
            Ok(NumberedPart { number: key.value().1, part: records::decode(part.value())? })
        })
        .collect()
    }
}
