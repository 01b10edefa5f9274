//! The slow road: values of a line that is not simply as many words as columns.

use super::layout::{Column, Delimiter, Layout};

/// What became of a line on the slow road.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// As many values as columns.
    Whole,
    /// As many values as columns after a repair.
    Repaired,
    /// Another number of values.
    Unfit(usize),
}

/// Splits a line into ranges of `line`, one a column.
pub(super) fn split(line: &[u8], layout: &Layout, ranges: &mut Vec<(usize, usize)>) -> Split {
    let want = layout.len();
    let is_delimiter = |byte: u8| match layout.delimiter {
        Delimiter::Blank => byte == b' ',
        Delimiter::Tab => byte == b'\t',
    };
    words(line, is_delimiter, ranges);
    let got = ranges.len();
    if got == want {
        return Split::Whole;
    }
    // Tabs in a log that announces blanks, or the other way round.
    words(line, |byte| byte == b' ' || byte == b'\t', ranges);
    if ranges.len() == want {
        return Split::Whole;
    }
    if line.contains(&b'"') {
        quoted(line, ranges);
        if ranges.len() == want {
            return Split::Whole;
        }
    }
    // Two blanks before the user name: seen on Exchange back ends (real file, plaso iis10_edge_cases).
    words(line, is_delimiter, ranges);
    ranges.retain(|(from, to)| from < to);
    if ranges.len() == want {
        return Split::Repaired;
    }
    words(line, is_delimiter, ranges);
    if fold_query(line, layout, ranges) { Split::Repaired } else { Split::Unfit(got) }
}

/// Every stretch between two delimiters, empty ones too.
fn words(line: &[u8], is_delimiter: impl Fn(u8) -> bool, ranges: &mut Vec<(usize, usize)>) {
    ranges.clear();
    let mut from = 0;
    for (at, &byte) in line.iter().enumerate() {
        if is_delimiter(byte) {
            ranges.push((from, at));
            from = at + 1;
        }
    }
    ranges.push((from, line.len()));
}

/// Values of Advanced Logging: blanks inside quotes belong to the value, quotes in it are doubled,
/// any number of blanks or tabs stands between values.
fn quoted(line: &[u8], ranges: &mut Vec<(usize, usize)>) {
    ranges.clear();
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        if byte == b' ' || byte == b'\t' {
            at += 1;
            continue;
        }
        let from = at;
        let mut inside = false;
        while let Some(&byte) = line.get(at) {
            match byte {
                // A doubled quote closes and opens again, which comes to the same.
                b'"' => inside = !inside,
                b' ' | b'\t' if !inside => break,
                _ => {}
            }
            at += 1;
        }
        ranges.push((from, at));
    }
}

/// A blank inside `cs-uri-query`, the only free text that IIS does not encode (plaso #3529): the columns before
/// it are counted from the left, those behind it from the right, and the numbers must be numbers.
fn fold_query(line: &[u8], layout: &Layout, ranges: &mut Vec<(usize, usize)>) -> bool {
    let Some(query) = layout.place(Column::CsUriQuery) else { return false };
    let Some(surplus) = ranges.len().checked_sub(layout.len()).filter(|&n| n > 0) else {
        return false;
    };
    let (Some(&(from, _)), Some(&(_, to))) = (ranges.get(query), ranges.get(query + surplus))
    else {
        return false;
    };
    ranges.drain(query..query + surplus);
    if let Some(range) = ranges.get_mut(query) {
        *range = (from, to);
    }
    let value = |column| {
        let &(from, to) = ranges.get(layout.place(column)?)?;
        line.get(from..to)
    };
    let digits = |value: Option<&[u8]>, most: usize| {
        value.is_none_or(|v| !v.is_empty() && v.len() <= most && v.iter().all(u8::is_ascii_digit))
    };
    let address = |value: Option<&[u8]>| {
        value.is_none_or(|v| v.iter().all(|b| b.is_ascii_hexdigit() || b".:%".contains(b)))
    };
    digits(value(Column::SPort), 5)
        && value(Column::ScStatus).is_some_and(|v| v.len() == 3)
        && digits(value(Column::ScStatus), 3)
        && address(value(Column::CIp))
}
