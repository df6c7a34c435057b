//! What SQL can go wrong with, on its way to the port's error.

use countersign_core::port::StoreError;
use rusqlite::ErrorCode;

/// Result of a verb inside a transaction.
pub(super) type Sql<T> = Result<T, SqlError>;

/// A verb failed.
#[derive(Debug)]
pub(super) enum SqlError {
    /// SQLite said no.
    Sqlite(rusqlite::Error),
    /// A column holds something that is no domain value. Names the column only: values may be personal.
    Unreadable(&'static str),
}

impl SqlError {
    /// Somebody else held what was needed; worth another try elsewhere.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) = self else { return false };
        matches!(
            failure.code,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed
        )
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Unreadable(column) => Self::Corrupt(format!("column {column} holds no value of ours")),
            SqlError::Sqlite(error) => {
                let operator_must_look = match &error {
                    rusqlite::Error::SqliteFailure(failure, _) => matches!(
                        failure.code,
                        ErrorCode::DatabaseCorrupt
                            | ErrorCode::NotADatabase
                            // Verbs name the conflicts they expect; any other is an identifier drawn twice.
                            | ErrorCode::ConstraintViolation
                            | ErrorCode::TypeMismatch
                    ),
                    rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::Utf8Error(..) => true,
                    _ => false,
                };
                if operator_must_look { Self::Corrupt(error.to_string()) } else { unavailable(&error) }
            }
        }
    }
}

/// The store cannot be used right now.
pub(super) fn unavailable(reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(reason.to_string())
}
