//! Event XML to facts.
use crate::evidence::{Sink, Tally};
/// Facts of event XML.
pub fn facts(_bytes: &[u8], _sink: &mut Sink<'_>) -> Tally {
    Tally::default()
}
/// Is it event XML?
pub fn sniff(_head: &[u8]) -> bool {
    false
}
