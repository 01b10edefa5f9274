//! Request logs to the rows of watched accounts, the tallies, and when each server's logs had entries.
//!
//! Changes are read first, so that memory follows the watched accounts and not the size of the logs.

pub mod access;
pub mod book;
pub mod log;
pub mod minutes;
pub mod watch;
