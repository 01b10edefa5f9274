//! How findings came and went, as the report tells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The findings of one week, of Monday to Sunday in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Week {
    /// Its Monday, `2026-03-02`.
    pub monday: String,
    /// Findings that were seen for the first time.
    pub new: u64,
    /// Findings of which access ended.
    pub closed: u64,
    /// Findings with access that may go on at its end.
    pub open: u64,
    /// Time from the change to the last residual access of the findings that were closed, seconds: the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_seconds: Option<i64>,
    /// The same: the 95th of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_seconds: Option<i64>,
    /// The same: the longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_seconds: Option<i64>,
}
