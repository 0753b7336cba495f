//! Rows on their way into a table by COPY in its binary form, which costs Postgres least.

use crate::Error;
use crate::model::sql;
use events::Actor;
use serde::Serialize;
use sqlx::postgres::PgConnection;
use sqlx::types::Uuid;
use time::OffsetDateTime;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: i16 = -1;
const NULL: i32 = -1;
/// The first byte of JSON in the binary form.
const JSONB: u8 = 1;
/// 2000-01-01T00:00:00Z, from which Postgres counts.
const EPOCH_MICROS: i128 = 946_684_800_000_000;
/// What is sent at once.
const CHUNK: usize = 1 << 18;

/// A table and those of its columns that are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// Rows of a table, as COPY reads them.
pub(crate) struct Rows {
    table: Table,
    count: usize,
    bytes: Vec<u8>,
    /// A number that no column can hold.
    excess: Option<u64>,
}

/// The type of a column.
pub(crate) trait Value {
    /// Writes its bytes; none if it is null.
    fn write(&self, rows: &mut Rows) -> Option<()>;
}

impl Rows {
    pub(crate) fn of(table: Table) -> Self {
        Self { table, count: 0, bytes: SIGNATURE.to_vec(), excess: None }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Begins a row: as many values follow as the table has columns, in their order.
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful of columns")]
    pub(crate) fn row(&mut self) -> &mut Self {
        self.count += 1;
        self.bytes.extend((self.table.columns.len() as i16).to_be_bytes());
        self
    }

    /// The next value of the row.
    pub(crate) fn put(&mut self, value: &impl Value) -> &mut Self {
        let at = self.bytes.len();
        self.bytes.extend(NULL.to_be_bytes());
        if value.write(self).is_some() {
            // Greater than this no message can be, let alone a value.
            let length = i32::try_from(self.bytes.len() - at - size_of::<i32>()).unwrap_or(i32::MAX);
            self.bytes[at..at + size_of::<i32>()].copy_from_slice(&length.to_be_bytes());
        }
        self
    }

    /// Sends the rows to their table, if there are any.
    pub(crate) async fn send(mut self, connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
        let table = self.table.name;
        if let Some(number) = self.excess {
            return Err(Error::Number { table, number });
        }
        if self.count == 0 {
            return Ok(());
        }
        self.bytes.extend(END.to_be_bytes());
        let columns = self.table.columns.join(", ");
        let text = sql(schema, &format!("COPY @.{table} ({columns}) FROM STDIN (FORMAT binary)")).0;
        let doing = Error::during("write rows");
        let mut into = connection.copy_in_raw(&text).await.map_err(&doing)?;
        for chunk in self.bytes.chunks(CHUNK) {
            into.send(chunk).await.map_err(&doing)?;
        }
        into.finish().await.map(drop).map_err(&doing)
    }
}

impl Value for str {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        rows.bytes.extend(self.as_bytes());
        Some(())
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        (**self).write(rows)
    }
}

impl Value for String {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        self.as_str().write(rows)
    }
}

impl Value for Actor {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        self.0.write(rows)
    }
}

impl<T: Value> Value for Option<T> {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        self.as_ref()?.write(rows)
    }
}

impl Value for bool {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        rows.bytes.push(u8::from(*self));
        Some(())
    }
}

impl Value for u64 {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        let Ok(number) = i64::try_from(*self) else {
            rows.excess = Some(*self);
            return None;
        };
        rows.bytes.extend(number.to_be_bytes());
        Some(())
    }
}

impl Value for u32 {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        let Ok(number) = i32::try_from(*self) else {
            rows.excess = Some(u64::from(*self));
            return None;
        };
        rows.bytes.extend(number.to_be_bytes());
        Some(())
    }
}

impl Value for Uuid {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        rows.bytes.extend(self.as_bytes());
        Some(())
    }
}

/// The nearest microsecond: finer Postgres cannot hold.
impl Value for OffsetDateTime {
    #[expect(clippy::cast_possible_truncation, reason = "no year that a time may have comes near the difference")]
    fn write(&self, rows: &mut Rows) -> Option<()> {
        let micros = (self.unix_timestamp_nanos() + 500).div_euclid(1000) - EPOCH_MICROS;
        rows.bytes.extend((micros as i64).to_be_bytes());
        Some(())
    }
}

/// The name of a variant.
pub(crate) fn variant(value: &impl Serialize) -> &'static str {
    serde_variant::to_variant_name(value).unwrap_or_default()
}

/// JSON as text.
pub(crate) struct Json<'a>(pub(crate) &'a str);

impl Value for Json<'_> {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        rows.bytes.push(JSONB);
        self.0.write(rows)
    }
}

impl Value for events::event::Author {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        Json(&serde_json::to_string(self).ok()?).write(rows)
    }
}

/// Identities that are UUIDs, and names that are text.
macro_rules! values {
    ($($uuid:ident),*; $($text:ident),*; $($display:ident),*) => {
        $(impl Value for events::$uuid {
            fn write(&self, rows: &mut Rows) -> Option<()> {
                self.0.write(rows)
            }
        })*
        $(impl Value for events::$text {
            fn write(&self, rows: &mut Rows) -> Option<()> {
                self.as_str().write(rows)
            }
        })*
        $(impl Value for events::$display {
            fn write(&self, rows: &mut Rows) -> Option<()> {
                self.to_string().write(rows)
            }
        })*
    };
}

values!(
    BuildId, IdentityId, InvitationId, LinkId, NoticeId, OrganizationId, ReceiverId, RouteId, SiteId, TokenId, UserId;
    Branch, CommitId, DeployId, OrganizationName, RepositoryUrl, SiteName;
    AliasName, Digest, Sealed, TokenName, VariableName
);

impl Value for events::routing::HostName {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        self.as_str().write(rows)
    }
}

impl Value for events::routing::RoutePath {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        self.as_str().write(rows)
    }
}

impl Value for events::receiver::ReceiverName {
    fn write(&self, rows: &mut Rows) -> Option<()> {
        self.to_string().write(rows)
    }
}
