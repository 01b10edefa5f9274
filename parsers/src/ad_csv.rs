//! Get-ADUser, Search-ADAccount and csvde CSV to facts.
use crate::evidence::{Sink, Tally};
use crate::time::LocalTime;
/// Facts.
pub fn facts(_bytes: &[u8], _local: &LocalTime, _sink: &mut Sink<'_>) -> Tally {
    Tally::default()
}
