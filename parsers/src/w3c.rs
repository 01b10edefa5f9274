//! W3C extended log format.
