//! EVTX to facts.
use crate::evidence::{Sink, Tally};
/// Facts of an EVTX file.
pub fn facts(_bytes: &[u8], _sink: &mut Sink<'_>) -> Tally {
    Tally::default()
}
/// Is it EVTX?
pub fn sniff(_head: &[u8]) -> bool {
    false
}
