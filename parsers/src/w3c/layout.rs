//! A `#Fields` line to the places of the columns that matter.

use crate::lines;

/// Columns that the program looks at, whatever place they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the column of that name
pub enum Column {
    Date,
    Time,
    SSitename,
    SComputername,
    SIp,
    CsMethod,
    CsUriStem,
    CsUriQuery,
    SPort,
    CsUsername,
    CIp,
    CsUserAgent,
    ScStatus,
    ScSubstatus,
    ScWin32Status,
    TimeTaken,
    SReason,
    SQueuename,
    XForwardedFor,
}

/// Number of columns in [`Column`].
const COLUMNS: usize = 19;

/// Names of the columns as logged; the first spelling that a log uses wins.
const NAMES: &[(&str, Column)] = &[
    ("date", Column::Date),
    ("date-utc", Column::Date),
    ("time", Column::Time),
    ("time-utc", Column::Time),
    ("s-sitename", Column::SSitename),
    ("s-computername", Column::SComputername),
    ("s-ip", Column::SIp),
    ("cs-method", Column::CsMethod),
    ("cs-uri-stem", Column::CsUriStem),
    ("cs-uri", Column::CsUriStem),
    ("cs-uri-query", Column::CsUriQuery),
    ("s-port", Column::SPort),
    ("cs-username", Column::CsUsername),
    ("c-ip", Column::CIp),
    ("cs(user-agent)", Column::CsUserAgent),
    ("sc-status", Column::ScStatus),
    ("sc-substatus", Column::ScSubstatus),
    ("sc-win32-status", Column::ScWin32Status),
    ("time-taken", Column::TimeTaken),
    ("timetakenms", Column::TimeTaken),
    ("s-reason", Column::SReason),
    ("s-queuename", Column::SQueuename),
    // Columns that administrators add, for what a load balancer says of the client (DOMAIN.md 1.2).
    ("x-forwarded-for", Column::XForwardedFor),
    ("cs(x-forwarded-for)", Column::XForwardedFor),
    ("originalip", Column::XForwardedFor),
];

/// What stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delimiter {
    /// One blank, as IIS writes it.
    #[default]
    Blank,
    /// One tab, as some exports write it.
    Tab,
}

/// One `#Fields` line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Column names as logged.
    pub names: Vec<String>,
    /// What stands between two values.
    pub delimiter: Delimiter,
    places: [Option<usize>; COLUMNS],
    address_before_agent: Option<usize>,
}

impl Layout {
    /// Reads what follows `#Fields:`.
    pub fn parse(fields: &[u8]) -> Layout {
        let text = String::from_utf8_lossy(fields);
        let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let tabs = fields.trim_ascii().contains(&b'\t');
        let places = lines::places(&names, NAMES, |column| column as usize);
        let delimiter = if tabs { Delimiter::Tab } else { Delimiter::Blank };
        let layout = Layout { names, delimiter, places, address_before_agent: None };
        let (address, agent) = (layout.place(Column::CIp), layout.place(Column::CsUserAgent));
        let address_before_agent = address.filter(|address| agent == Some(address + 1));
        Layout { address_before_agent, ..layout }
    }

    /// Place of `c-ip`, where `cs(User-Agent)` stands behind it, as IIS writes them.
    #[inline]
    pub(super) fn address_before_agent(&self) -> Option<usize> {
        self.address_before_agent
    }

    /// Place of a column, from 0.
    #[inline]
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places.get(column as usize).copied().flatten()
    }

    /// Number of columns.
    #[inline]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether `#Fields` named nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the log speaks of web requests: a firewall log has the same syntax.
    pub fn is_web(&self) -> bool {
        self.place(Column::CsMethod).is_some() || self.place(Column::CsUriStem).is_some()
    }

    /// Whether this is HTTP.sys's error log.
    pub fn is_httperr(&self) -> bool {
        self.place(Column::SReason).is_some() && self.place(Column::CsUsername).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_columns_in_any_order_and_case() {
        let layout = Layout::parse(b"  time   CS-USERNAME cs(User-Agent) sc-status \r\n");
        assert_eq!(layout.len(), 4);
        assert_eq!(layout.place(Column::CsUsername), Some(1));
        assert_eq!(layout.place(Column::CsUserAgent), Some(2));
        assert_eq!(layout.place(Column::Date), None);
        assert_eq!(layout.delimiter, Delimiter::Blank);
        assert_eq!(Layout::parse(b" date\ttime").delimiter, Delimiter::Tab);
    }

    #[test]
    fn tells_web_from_firewall() {
        assert!(!Layout::parse(b"date time action protocol src-ip").is_web());
        assert!(Layout::parse(b"date time cs-method cs-uri s-reason").is_httperr());
    }
}
