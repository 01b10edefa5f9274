//! Every accepted spelling of a time to UTC; time without a zone never leaves this file.

/// How times without a zone are to be understood (`--tz`, `--date-order`).
#[derive(Debug, Clone, Default)]
pub struct LocalTime {}
