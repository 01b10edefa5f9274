//! Bytes to events. No I/O, no threads, no globals, no panic: whatever stands in the bytes,
//! every piece becomes an event, is of no interest, or is a counted reject with its place.
//!
//! Two layers: *syntax* (lines, records, values) and *meaning* (what a value says of a request or an account).
//! Modules in reading order.

#![deny(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod event;
pub mod kind;
pub mod noise_name;
pub mod time;

pub mod eas;
pub mod exchange;
pub mod exchange_log;
pub mod lines;
pub mod vectors;
pub mod w3c;

pub mod event_csv;
pub mod evidence;
pub mod evtx;
pub mod json;
pub mod windows;
pub mod xml;

pub mod application_host;

pub mod ad_csv;
pub mod change_list;
pub mod csv;
pub mod directory;
pub mod ldif;
pub mod repl_metadata;
