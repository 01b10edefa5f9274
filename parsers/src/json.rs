//! Event JSON to facts.
use crate::evidence::{Sink, Tally};
use crate::time::LocalTime;
/// Facts of event JSON.
pub fn facts(_bytes: &[u8], _local: &LocalTime, _sink: &mut Sink<'_>) -> Tally {
    Tally::default()
}
/// Is it event JSON?
pub fn sniff(_head: &[u8]) -> bool {
    false
}
