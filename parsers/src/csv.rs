//! CSV dialects, and EvtxECmd CSV to facts.
use crate::evidence::{Sink, Tally};
use crate::time::LocalTime;
/// Facts of EvtxECmd CSV.
pub fn event_facts(_bytes: &[u8], _local: &LocalTime, _sink: &mut Sink<'_>) -> Tally {
    Tally::default()
}
