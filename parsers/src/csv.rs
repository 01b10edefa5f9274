//! CSV of any dialect that PowerShell, csvde and spreadsheets write, to rows of named cells; a row
//! that does not fit is a reject with the line where it begins, and the next one goes on. (RFC 4180
//! itself is read by the csv crate.)

use crate::event::{Pos, Reason, Reject};
use crate::vectors::places;
use ::csv::{ByteRecord, Position, StringRecord};
use memchr::{memchr, memchr_iter, memmem};
use std::collections::BTreeMap;
use std::io::Cursor;

#[cfg(test)]
mod tests;

/// What stands before a text in UTF-8, and in the middle of texts that were put together.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A CSV text with its header read.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    /// Names of the columns, trimmed.
    pub columns: Vec<String>,
    /// Line of the header, from 1.
    pub header_line: u64,
    /// Name in lower case and as it stands, to the first column called so in any case.
    places: BTreeMap<String, usize>,
    delimiter: u8,
    bytes: &'a [u8],
    /// Where the rows begin.
    start: usize,
    start_line: u64,
}

/// One row: as many cells as the header has columns.
#[derive(Debug, Clone)]
pub struct Row<'t> {
    /// Where it begins.
    pub pos: Pos,
    cells: StringRecord,
    places: &'t BTreeMap<String, usize>,
}

impl Row<'_> {
    /// The cell of a column, trimmed, under its name in any case; `None` where it is empty or there
    /// is no such column.
    pub fn get(&self, column: &str) -> Option<&str> {
        let place = match self.places.get(column) {
            Some(place) => place,
            None => self.places.get(&column.to_lowercase())?,
        };
        self.cell(*place)
    }

    /// The same by the place of the column.
    pub fn cell(&self, place: usize) -> Option<&str> {
        self.cells.get(place).map(str::trim).filter(|cell| !cell.is_empty())
    }

    /// No cell holds anything: spreadsheets leave such rows behind.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

impl<'a> Table<'a> {
    /// Reads the header of decoded text without BOM; the dialect is told from it.
    pub fn open(bytes: &'a [u8]) -> Self {
        let mut table = Table {
            columns: Vec::new(),
            header_line: 1,
            places: BTreeMap::new(),
            delimiter: b',',
            bytes,
            start: 0,
            start_line: 1,
        };
        let mut told = None;
        while let Some((line, after)) = next_line(bytes, table.start) {
            if let Some(delimiter) = separator_line(line) {
                told = Some(delimiter);
            } else if !line.trim_ascii().is_empty() && !is_type_line(line) {
                break;
            }
            table.start = after;
            table.start_line += 1;
        }
        table.header_line = table.start_line;
        let Some((line, _)) = next_line(bytes, table.start) else { return table };
        table.delimiter = told.unwrap_or_else(|| delimiter(line));
        let header = Records::new(bytes, table.start, table.delimiter).next();
        table.start_line += n_lines(bytes, table.start, header.end);
        table.start = header.end;
        table.columns = header.cells.iter().map(|cell| cell.trim().to_owned()).collect();
        for (place, column) in table.columns.iter().enumerate() {
            let first = *table.places.entry(column.to_lowercase()).or_insert(place);
            table.places.entry(column.clone()).or_insert(first);
        }
        table
    }

    /// Has a column of this name, in any case.
    pub fn has(&self, column: &str) -> bool {
        self.place(column).is_some()
    }

    /// Place of the first column of this name, in any case.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.places.get(&column.to_lowercase()).copied()
    }

    /// The rows in their order; lines that are blank, a `#TYPE` line or the header again (exports
    /// put together) are none.
    pub fn rows(&self) -> Rows<'_> {
        // What may be read twice after a stray quote: enough for any real file, and no more than
        // linear.
        let budget = self.bytes.len().saturating_mul(4);
        self.rows_from(Mark { at: self.start, line: self.start_line, budget })
    }

    /// The rows behind a place between two of them.
    fn rows_from(&self, mark: Mark) -> Rows<'_> {
        Rows { table: self, mark, records: Records::new(self.bytes, mark.at, self.delimiter) }
    }

    /// Marks before the first row and behind about every so many, without taking rows apart: `None` where only reading tells
    /// where rows begin: a quote is not written as it should be, a line end stands within quotes, or a BOM in mid-file.
    pub fn marks(&self, n_rows: usize) -> Option<Vec<Mark>> {
        let mut mark = self.rows().mark();
        let mut marks = vec![mark];
        let mut n_lines = 0;
        let text = self.bytes.get(self.start..)?;
        if memmem::find(text, BOM).is_some() {
            return None;
        }
        let at = |place: usize| self.bytes.get(place).copied();
        let is_between = |byte: u8| byte == self.delimiter || matches!(byte, b'\r' | b'\n');
        let (mut is_open, mut second_of_two) = (false, None);
        for place in places(text, [b'"', b'\n', b'\r']).map(|place| self.start + place) {
            match (at(place)?, is_open) {
                (b'\n' | b'\r', true) => return None,
                (b'\r', false) if at(place + 1) != Some(b'\n') => return None,
                (b'\r', false) => {}
                (b'\n', false) => {
                    let line = self.bytes.get(mark.at..place)?;
                    (mark.at, mark.line) = (place + 1, mark.line + 1);
                    n_lines += 1;
                    if n_lines >= n_rows && self.is_row(line) {
                        marks.push(mark);
                        n_lines = 0;
                    }
                }
                _ if second_of_two == Some(place) => {}
                (_, true) => match at(place + 1) {
                    Some(b'"') => second_of_two = Some(place + 1),
                    Some(behind) if !is_between(behind) => return None,
                    _ => is_open = false,
                },
                (_, false) => {
                    let before = place.checked_sub(1).and_then(at);
                    if place > self.start && !before.is_some_and(is_between) {
                        return None;
                    }
                    is_open = true;
                }
            }
        }
        (!is_open).then_some(marks)
    }

    /// A line by itself is a row, whatever is in it, and none of those that are passed over.
    fn is_row(&self, line: &[u8]) -> bool {
        let record = || Records::new(line, 0, self.delimiter).next();
        !line.trim_ascii().is_empty() && !self.is_passed_over(&record())
    }

    /// A `#TYPE` line, or the header again.
    fn is_passed_over(&self, record: &Record) -> bool {
        record.cells.get(0).is_some_and(|cell| is_type_line(cell.as_bytes()))
            || same_names(&record.cells, &self.columns)
    }

    /// The rows of the nth part between marks.
    pub fn part(&self, marks: &[Mark], n: usize) -> impl Iterator<Item = Result<Row<'_>, Reject>> {
        let end = marks.get(n + 1).copied();
        let mut rows = marks.get(n).map(|mark| self.rows_from(*mark));
        std::iter::from_fn(move || {
            let rows = rows.as_mut()?;
            rows.skip_blank_lines();
            if end.is_some_and(|end| end.at <= rows.mark.at) { None } else { rows.next() }
        })
    }

    /// The cells, one for each column; or why not, and the length of the record.
    fn fit(&self, record: Record, begin: usize) -> Result<StringRecord, (Reason, usize)> {
        let mut cells = record.cells;
        let (want, got) = (self.columns.len(), cells.len());
        let raw = self.bytes.get(begin..record.end).unwrap_or_default();
        let open_quote = record.end == self.bytes.len()
            && raw.trim_ascii_end().contains(&b'\n')
            && memchr_iter(b'"', raw).count() % 2 == 1;
        if open_quote {
            return Err((Reason::Truncated, raw.len()));
        }
        // Some writers end each line with the delimiter.
        if got == want + 1 && cells.get(want).is_some_and(str::is_empty) {
            cells.truncate(want);
        } else if got != want {
            let line = self.header_line;
            let reason = format!("{got} cells for {want} columns (header at line {line})");
            return Err((Reason::Format(reason), raw.len()));
        }
        Ok(cells)
    }
}

/// A place between two rows.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    at: usize,
    line: u64,
    budget: usize,
}

/// The rows of a table from one place on.
pub struct Rows<'t> {
    table: &'t Table<'t>,
    mark: Mark,
    records: Records<'t>,
}

impl Rows<'_> {
    /// Where the next row begins, or blank lines before it.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The csv crate skips them without counting them.
    fn skip_blank_lines(&mut self) {
        let Mark { at, line, .. } = &mut self.mark;
        while let Some(b @ (b'\r' | b'\n')) = self.table.bytes.get(*at) {
            *line += u64::from(*b == b'\n');
            *at += 1;
        }
    }
}

impl<'t> Iterator for Rows<'t> {
    type Item = Result<Row<'t>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_blank_lines();
            let Rows { table, mark: Mark { at, line, budget }, records } = self;
            // Exports that were put together have their mark in mid-file.
            let rest = table.bytes.get(*at..).unwrap_or_default();
            if rest.starts_with(BOM) {
                *at += BOM.len();
                records.go_to(*at);
            }
            let record = records.next();
            if record.end <= *at {
                return None;
            }
            let (begin, pos) = (*at, Pos::Line(*line));
            *line += n_lines(table.bytes, begin, record.end);
            *at = record.end;
            if table.is_passed_over(&record) {
                continue;
            }
            match table.fit(record, begin) {
                Ok(cells) => return Some(Ok(Row { pos, cells, places: &table.places })),
                Err((reason, length)) => {
                    // A quote left open swallows the rows below: begin again on the next line.
                    if let Some((_, after)) = next_line(table.bytes, begin)
                        && after < *at
                        && *budget >= length
                    {
                        *budget -= length;
                        *line = line.saturating_sub(n_lines(table.bytes, after, *at));
                        *at = after;
                        records.go_to(after);
                    }
                    return Some(Err(Reject { pos, reason }));
                }
            }
        }
    }
}

struct Record {
    cells: StringRecord,
    /// Where the next one begins.
    end: usize,
}

/// The records from one place on, whatever their number of cells.
struct Records<'a> {
    reader: ::csv::Reader<Cursor<&'a [u8]>>,
    /// Bytes and cells of the last record: the next one mostly needs as much room.
    room: (usize, usize),
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8], start: usize, delimiter: u8) -> Self {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Cursor::new(bytes));
        // No header of its own, which it would read before it goes elsewhere.
        reader.set_byte_headers(ByteRecord::new());
        let mut records = Records { reader, room: (0, 0) };
        records.go_to(start);
        records
    }

    /// Goes on at another place. A new reader for each would cost more than all else in a file of
    /// stray quotes.
    fn go_to(&mut self, place: usize) {
        let mut position = Position::new();
        position.set_byte(place as u64);
        // Seeking in memory does not fail.
        let _ = self.reader.seek(position);
    }

    /// The next record; an empty one that ends where it begins, at the end.
    fn next(&mut self) -> Record {
        let mut record = ByteRecord::with_capacity(self.room.0, self.room.1);
        let before = self.reader.position().byte();
        // Reading from memory does not fail, and a flexible reader takes any number of cells.
        let read = self.reader.read_byte_record(&mut record).unwrap_or(false);
        let after = if read { self.reader.position().byte() } else { before };
        self.room = (record.as_slice().len(), record.len());
        let cells = StringRecord::from_byte_record_lossy(record);
        Record { cells, end: usize::try_from(after).unwrap_or(usize::MAX) }
    }
}

/// The line that begins at a place, without its end, and the place after it.
fn next_line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let length = memchr(b'\n', rest).unwrap_or(rest.len());
    Some((rest.get(..length)?, (at + length + 1).min(bytes.len())))
}

/// Line ends between two places.
fn n_lines(bytes: &[u8], from: usize, to: usize) -> u64 {
    bytes.get(from..to).map_or(0, |part| memchr_iter(b'\n', part).count() as u64)
}

/// `#TYPE Microsoft.ActiveDirectory.Management.ADUser`, which Windows PowerShell puts before the
/// header.
fn is_type_line(line: &[u8]) -> bool {
    line.trim_ascii_start().get(..6).is_some_and(|head| head == b"#TYPE ")
}

/// `sep=;`, which tells Excel the delimiter.
fn separator_line(line: &[u8]) -> Option<u8> {
    match line.trim_ascii() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
        _ => None,
    }
    .filter(|delimiter| b",;\t|".contains(delimiter))
}

/// The delimiter that stands most often in the header, outside of quotes.
fn delimiter(header: &[u8]) -> u8 {
    let (mut commas, mut semicolons, mut tabs, mut quoted) = (0, 0, 0, false);
    for byte in header {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => commas += 1,
            b';' if !quoted => semicolons += 1,
            b'\t' if !quoted => tabs += 1,
            _ => {}
        }
    }
    if semicolons > commas && semicolons >= tabs {
        b';'
    } else if tabs > commas {
        b'\t'
    } else {
        b','
    }
}

fn same_names(cells: &StringRecord, columns: &[String]) -> bool {
    cells.len() == columns.len()
        && cells.iter().zip(columns).all(|(cell, column)| cell.trim().eq_ignore_ascii_case(column))
}
