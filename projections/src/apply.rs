//! Applies a stretch of the log to a model: rows and position in one transaction.

use crate::Error;
use crate::failures::{self, FailureRow, Kind};
use crate::model::{LIVE, Model, bigint, position, sql};
use crate::tables::Tables;
use crate::timeline::{self, Stated};
use events::{Position, Recorded};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

/// Most rows of one table that a model under construction has in memory. Few in tests, where they come and go.
const HELD_MAX: usize = if cfg!(debug_assertions) { 20 } else { 20_000 };

/// What the log holds at one sequence.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every item is a fact: a box for each would cost more than it saves"
)]
pub enum Applied {
    /// A fact.
    Fact(Recorded),
    /// A fact of a type this version does not know.
    Unknown {
        /// Its place in the log.
        position: Position,
        /// Its CloudEvents type.
        type_name: String,
    },
    /// Something that cannot be read.
    Poison {
        /// Its place in the log.
        position: Position,
        /// What the decoder said.
        reason: String,
    },
}

impl Applied {
    /// Its place in the log.
    #[must_use]
    pub const fn position(&self) -> Position {
        match self {
            Self::Fact(Recorded { sequence, envelope, .. }) => Position { sequence: *sequence, id: envelope.id },
            Self::Unknown { position, .. } | Self::Poison { position, .. } => *position,
        }
    }

    /// Its sequence in the log.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.position().sequence
    }
}

impl Model {
    /// Folds `batch` into the tables and answers the new position. What is at or below the position is passed over, so
    /// a repeated batch changes nothing; what cannot be folded is recorded in `errors` and passed.
    ///
    /// # Errors
    /// [`Error::Gap`] if the batch does not go on where the model stands; nothing is changed then. [`Error::Query`] or
    /// [`Error::Connect`] if Postgres fails: try again.
    pub async fn apply(&self, batch: &[Applied]) -> Result<u64, Error> {
        self.advance(batch, None).await
    }

    /// The same for a model under construction that leaves the rows of `held` out of its tables. After an error they are not
    /// to be used any more.
    pub(crate) async fn fill(&self, batch: &[Applied], held: &mut Tables) -> Result<u64, Error> {
        self.advance(batch, Some(held)).await
    }

    async fn advance(&self, batch: &[Applied], under_way: Option<&mut Tables>) -> Result<u64, Error> {
        let moving = Error::during("move the position");
        let mut transaction = self.pool.begin().await.map_err(Error::Connect)?;
        lock_position(&mut transaction, self.schema).await?;
        let held = position(&mut transaction, self.schema).await?;
        let news = following(batch, held)?;
        let Some(last) = news.last().map(Applied::position) else { return Ok(held) };
        sqlx::raw_sql(AssertSqlSafe(self.settings())).execute(&mut *transaction).await.map_err(&moving)?;
        let items: Vec<Item<'_>> = news.iter().map(Item::of).collect();
        match under_way {
            Some(held) => {
                write_part(&mut transaction, self.schema, &items, held).await?;
                held.shrink(&mut transaction, self.schema, HELD_MAX).await?;
            }
            None => write(&mut transaction, self.schema, &items).await?,
        }
        let moved = sqlx::query(self.sql("UPDATE @.position SET sequence = $1, id = $2"));
        let moved = moved.bind(bigint(last.sequence)).bind(last.id).execute(&mut *transaction).await;
        moved.map_err(&moving)?;
        transaction.commit().await.map_err(&moving)?;
        Ok(last.sequence)
    }

    /// What holds for the transaction of a batch.
    ///
    /// Whatever the planner thinks of the tables, a batch finds its rows by their keys: it would read a table whole while
    /// that is short, and remember so when it no longer is. Nobody waits for a part of a rebuild to be on the disk: it is
    /// there with the swap, or the rebuild was for nothing.
    fn settings(&self) -> String {
        let by_key = ["seqscan", "hashjoin", "mergejoin"].map(|way| format!("SET LOCAL enable_{way} TO off;")).concat();
        if self.schema == LIVE { by_key } else { by_key + "SET LOCAL synchronous_commit TO off" }
    }
}

/// Waits until no other transaction moves the position.
///
/// A lock on the table and not on its row: Postgres looks the name up again after it has waited for a table, so a
/// projector that waited while a rebuild was swapped in goes on with the new table and not with the one that is gone.
pub(crate) async fn lock_position(connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
    let lock = sqlx::raw_sql(sql(schema, "LOCK TABLE @.position IN EXCLUSIVE MODE"));
    lock.execute(connection).await.map(drop).map_err(Error::during("lock the position"))
}

/// The part of `batch` after `held`, which must go on without a gap.
fn following(batch: &[Applied], held: u64) -> Result<&[Applied], Error> {
    let known = batch.iter().take_while(|item| item.sequence() <= held).count();
    let news = &batch[known..];
    for (expected, item) in (held + 1..).zip(news) {
        if item.sequence() != expected {
            return Err(Error::Gap { expected, found: item.sequence() });
        }
    }
    Ok(news)
}

/// Writes all of `news`. What can be seen to be at fault becomes a failure at once; where a fact is at fault nevertheless,
/// halves lead to the single one.
async fn write(transaction: &mut PgConnection, schema: &str, news: &[Item<'_>]) -> Result<(), Error> {
    let doing = Error::during("write a part of a batch");
    let mut parts = vec![news];
    while let Some(part) = parts.pop() {
        let mut savepoint = transaction.begin().await.map_err(&doing)?;
        match write_whole(&mut savepoint, schema, part).await {
            Ok(()) => savepoint.commit().await.map_err(&doing)?,
            Err(error) if error.is_of_the_fact() => {
                savepoint.rollback().await.map_err(&doing)?;
                if let [single] = part {
                    let failure = FailureRow::new(single.sequence(), Kind::Poison, &error.chain());
                    failures::append(transaction, schema, &[&failure]).await?;
                } else {
                    let (earlier, later) = part.split_at(part.len() / 2);
                    parts.extend([later, earlier]);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What becomes of one place in the log.
enum Item<'a> {
    Fact(Stated<'a>),
    Failure(FailureRow),
}

impl<'a> Item<'a> {
    fn of(applied: &'a Applied) -> Self {
        match applied {
            Applied::Fact(fact) => match sound(fact) {
                Ok(stated) => Self::Fact(stated),
                Err(error) => Self::Failure(FailureRow::new(fact.sequence, Kind::Poison, &error.chain())),
            },
            Applied::Unknown { position, type_name } => {
                Self::Failure(FailureRow::new(position.sequence, Kind::Unknown, type_name))
            }
            Applied::Poison { position, reason } => {
                Self::Failure(FailureRow::new(position.sequence, Kind::Poison, reason))
            }
        }
    }

    const fn sequence(&self) -> u64 {
        match self {
            Self::Fact(fact) => fact.recorded.sequence,
            Self::Failure(failure) => failure.sequence,
        }
    }
}

/// A fact that can become rows, as far as that can be seen without asking Postgres.
fn sound(fact: &Recorded) -> Result<Stated<'_>, Error> {
    Tables::check(fact)?;
    Stated::of(fact)
}

/// Writes a part, and all rows that it touches.
async fn write_whole(connection: &mut PgConnection, schema: &str, part: &[Item<'_>]) -> Result<(), Error> {
    let mut tables = Tables::none();
    write_part(connection, schema, part, &mut tables).await?;
    tables.put_back(connection, schema).await
}

/// Writes a part but for the rows that it touches: these are in `held` then.
async fn write_part(
    connection: &mut PgConnection,
    schema: &str,
    part: &[Item<'_>],
    held: &mut Tables,
) -> Result<(), Error> {
    let (mut facts, mut failures) = (Vec::new(), Vec::new());
    for item in part {
        match item {
            Item::Fact(fact) => facts.push(fact),
            Item::Failure(failure) => failures.push(failure),
        }
    }
    timeline::append(connection, schema, &facts).await?;
    let facts: Vec<&Recorded> = facts.iter().map(|fact| fact.recorded).collect();
    held.fold(connection, schema, &facts).await?;
    failures::append(connection, schema, &failures).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64) -> Applied {
        let position = Position { sequence, ..Position::START };
        Applied::Unknown { position, type_name: String::new() }
    }

    #[test]
    fn what_is_known_is_passed_over_and_the_rest_goes_on() {
        let batch = [at(1), at(2), at(3)];
        assert_eq!(following(&batch, 0).unwrap(), &batch);
        assert_eq!(following(&batch, 2).unwrap(), &batch[2..]);
        assert_eq!(following(&batch, 9).unwrap(), &[]);
    }

    #[test]
    fn a_gap_before_or_inside_a_batch_is_refused() {
        assert!(matches!(following(&[at(3)], 1), Err(Error::Gap { expected: 2, found: 3 })));
        assert!(matches!(following(&[at(2), at(4)], 1), Err(Error::Gap { expected: 3, found: 4 })));
        assert!(matches!(following(&[at(2), at(2)], 1), Err(Error::Gap { expected: 3, found: 2 })));
    }
}
