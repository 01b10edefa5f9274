//! A report to files. Knows nothing of logs or of how the report came about.

pub mod report;
