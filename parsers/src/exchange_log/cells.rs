//! The slow road: cells of a line with quotes (RFC 4180), or of one that has another number of cells than columns.

use super::layout::{Column, Layout};
use super::row::Row;
use crate::event::Reason;

/// Splits a line into ranges of what is returned: of the line itself, or of `buffer` where quotes were undone.
pub(super) fn split<'a>(
    line: &'a [u8],
    buffer: &'a mut Vec<u8>,
    ranges: &mut Vec<(usize, usize)>,
) -> Result<&'a [u8], Reason> {
    ranges.clear();
    if !line.contains(&b'"') {
        let mut from = 0;
        for at in memchr::memchr_iter(b',', line) {
            ranges.push((from, at));
            from = at + 1;
        }
        ranges.push((from, line.len()));
        return Ok(line);
    }
    buffer.clear();
    let mut rest = Some(line);
    while let Some(cell) = rest {
        let from = buffer.len();
        rest = take_cell(cell, buffer)?;
        ranges.push((from, buffer.len()));
    }
    Ok(buffer)
}

/// Puts the first cell into `buffer` without its quotes; what follows its comma is left. A quote counts only where the
/// cell begins with one.
fn take_cell<'a>(text: &'a [u8], buffer: &mut Vec<u8>) -> Result<Option<&'a [u8]>, Reason> {
    let mut rest = text;
    if let Some(inner) = text.strip_prefix(b"\"") {
        rest = inner;
        loop {
            let open = || Reason::Format("a quote is not closed".to_owned());
            let at = memchr::memchr(b'"', rest).ok_or_else(open)?;
            let (before, after) = rest.split_at(at);
            buffer.extend_from_slice(before);
            rest = after.get(1..).unwrap_or_default();
            match rest.strip_prefix(b"\"") {
                Some(more) => {
                    buffer.push(b'"');
                    rest = more;
                }
                None => break,
            }
        }
    }
    let comma = memchr::memchr(b',', rest);
    let (before, after) = rest.split_at(comma.unwrap_or(rest.len()));
    buffer.extend_from_slice(before);
    Ok(after.get(1..))
}

/// Cells of a line that has not as many as there are columns: those that may be taken to stand under their own name
/// are left. `None`: too few are.
///
/// A row that is cut short is sound up to its last cell, of which a part may be missing: half a name is the name of
/// somebody else. A row with a stray comma is sound up to its status, if that and the flag before it are sound
/// ([`is_vouched`]). With more cells to spare than there are before the status it is two rows on one line, the first
/// of which broke off behind its status.
pub(super) fn left(layout: &Layout, ranges: &mut Vec<(usize, usize)>) -> Option<()> {
    let needed =
        [Column::DateTime, Column::IsAuthenticated, Column::AuthenticatedUser, Column::HttpStatus];
    let last = needed.into_iter().filter_map(|column| layout.place(column)).max()?;
    match ranges.len().checked_sub(layout.len()) {
        None => _ = ranges.pop(),
        Some(more) if more <= last && layout.place(Column::HttpStatus) == Some(last) => {
            ranges.truncate(last + 1);
        }
        Some(_) => return None,
    }
    (ranges.len() > last).then_some(())
}

/// Flag and status of a row with a stray comma stand where they belong, and so does what stands between them.
pub(super) fn is_vouched(row: &Row<'_>) -> bool {
    let is_flag =
        |cell: &[u8]| cell.eq_ignore_ascii_case(b"true") || cell.eq_ignore_ascii_case(b"false");
    row.value(Column::IsAuthenticated).is_none_or(is_flag)
        && row.text(Column::HttpStatus).len() == 3
}

/// Without the quotes around it.
pub(super) fn unquoted(cell: &[u8]) -> &[u8] {
    match cell {
        [b'"', inner @ .., b'"'] => inner,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_undone() {
        for (line, expect) in [
            ("a,b", Some(&["a", "b"][..])),
            ("", Some(&[""])),
            (",", Some(&["", ""])),
            ("\"a,b\",c", Some(&["a,b", "c"])),
            ("a,\"\"", Some(&["a", ""])),
            ("\"say \"\"x\"\", y\",\"\"\"\"", Some(&["say \"x\", y", "\""])),
            // Only a quote that begins a cell opens one.
            ("a\"b,c\",d", Some(&["a\"b", "c\"", "d"])),
            ("\"a\"b,c", Some(&["ab", "c"])),
            ("\"a\",", Some(&["a", ""])),
            ("a,\"b", None),
            ("\"", None),
            ("\"a\"\"", None),
        ] {
            let (mut buffer, mut ranges) = (b"left".to_vec(), vec![(7, 9)]);
            let cells = split(line.as_bytes(), &mut buffer, &mut ranges).ok().map(|text| {
                let cell = |&(from, to): &(usize, usize)| str::from_utf8(&text[from..to]).unwrap();
                ranges.iter().map(cell).collect::<Vec<_>>()
            });
            assert_eq!(cells.as_deref(), expect, "{line}");
        }
    }

    #[test]
    fn only_cells_that_stand_under_their_name_are_left() {
        let proxy = Layout::parse(
            b"DateTime,IsAuthenticated,AuthenticatedUser,UserAgent,HttpStatus,Method,UrlQuery",
        );
        let mapi = Layout::parse(b"DateTime,MapiRequestId,HttpStatusCode,AuthenticatedUser,RopIds");
        for (layout, n_cells, expect) in [
            (&proxy, 6, Some(5)),
            (&proxy, 5, None),
            (&proxy, 1, None),
            (&proxy, 8, Some(5)),
            (&proxy, 11, Some(5)),
            (&proxy, 12, None),
            (&mapi, 4, None),
            // The name stands behind the status, so that nothing vouches for its place.
            (&mapi, 6, None),
        ] {
            let mut ranges = vec![(0, 0); n_cells];
            let left = left(layout, &mut ranges).map(|()| ranges.len());
            assert_eq!(left, expect, "{n_cells} of {}", layout.len());
        }
    }
}
