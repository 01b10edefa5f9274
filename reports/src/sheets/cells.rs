//! Cells to cells of a sheet: text as text, times as Excel's numbers, what is too long cut.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{Color, Format, FormatAlign, Worksheet, XlsxError};

use crate::report::rfc3339;
use crate::table::{Cell, Column, Holds};
use crate::text::number;

/// UTF-16 units that Excel takes in one cell.
const LONGEST: usize = 32_767;
/// The largest whole number that Excel keeps exactly.
const EXACT: i64 = 1 << 53;
/// 1900-03-01 in seconds since 1970: before that, Excel counts a day that never was.
const FIRST_DAY: i64 = -2_203_891_200;
/// 10000-01-01, where its calendar ends.
const END: i64 = 253_402_300_800;

/// How cells look.
pub struct Formats {
    header: Format,
    heading: Format,
    text: Format,
    number: Format,
    time: Format,
}

impl Formats {
    /// The looks of this workbook.
    pub fn new() -> Formats {
        let top = || Format::new().set_align(FormatAlign::Top);
        Formats {
            header: top().set_bold().set_background_color(Color::RGB(0x00d9_e1f2)).set_text_wrap(),
            heading: Format::new().set_bold(),
            // The prefix keeps a text that looks like a formula a text where somebody edits the cell.
            text: top().set_quote_prefix(),
            number: top().set_num_format("#,##0"),
            time: top().set_num_format("yyyy-mm-dd hh:mm:ss").set_align(FormatAlign::Left),
        }
    }
}

/// The name of a sheet, its header, which stays, and the widths of its columns.
pub fn head(
    sheet: &mut Worksheet,
    name: &str,
    columns: &[Column],
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?.set_freeze_panes(1, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    for (column, (name, holds)) in (0_u16..).zip(columns) {
        let width = match (holds, *name) {
            (Holds::Time, _) => 20,
            (Holds::Number, _) => 11,
            (_, "why" | "evidence" | "clients" | "user_agent" | "path" | "error" | "sha256") => 60,
            (_, "sid") => 44,
            (_, "account" | "name" | "pool" | "actor" | "device") => 28,
            (_, _) => 15,
        };
        sheet.set_column_width(column, width)?;
    }
    header(sheet, 0, columns, formats)
}

/// The names of columns, for a reader.
pub fn header(
    sheet: &mut Worksheet,
    at: u32,
    columns: &[Column],
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (column, (name, holds)) in (0_u16..).zip(columns) {
        let title = title(name, *holds);
        sheet.write_string_with_format(at, column, title, &formats.header)?;
    }
    Ok(())
}

/// `disputed_until` as `Disputed until (UTC)`.
pub fn title(name: &str, holds: Holds) -> String {
    let words = name.split('_').enumerate().map(|(i, word)| match word {
        "sid" | "ip" | "sha256" | "nul" => word.to_uppercase(),
        _ if i == 0 => {
            let mut chars = word.chars();
            chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
        }
        _ => word.to_owned(),
    });
    let words = words.collect::<Vec<String>>().join(" ");
    if holds == Holds::Time { format!("{words} (UTC)") } else { words }
}

/// A line above a block.
pub fn heading(
    sheet: &mut Worksheet,
    at: u32,
    text: &str,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(at, 0, text, &formats.heading).map(|_| ())
}

/// A line of ours among the rows.
pub fn note(
    sheet: &mut Worksheet,
    at: u32,
    text: &str,
    formats: &Formats,
) -> Result<(), XlsxError> {
    heading(sheet, at, text, formats)
}

/// One row.
pub fn row(
    sheet: &mut Worksheet,
    at: u32,
    cells: &[Cell<'_>],
    formats: &Formats,
) -> Result<(), XlsxError> {
    for (column, cell) in (0_u16..).zip(cells) {
        match cell {
            Cell::Empty => {}
            Cell::Text(text) if text.is_empty() => {}
            Cell::Text(text) => {
                sheet.write_string_with_format(at, column, fitting(text), &formats.text)?;
            }
            #[expect(clippy::cast_precision_loss, reason = "it is exact")]
            Cell::Number(n) if (-EXACT..=EXACT).contains(n) => {
                sheet.write_number_with_format(at, column, *n as f64, &formats.number)?;
            }
            Cell::Number(n) => {
                sheet.write_string_with_format(at, column, n.to_string(), &formats.text)?;
            }
            Cell::Time(time) => match serial(time) {
                Some(serial) => {
                    sheet.write_number_with_format(at, column, serial, &formats.time)?;
                }
                None => {
                    sheet.write_string_with_format(at, column, rfc3339(time), &formats.text)?;
                }
            },
        }
    }
    Ok(())
}

/// Days since 1899-12-30 in UTC, as Excel counts times; none where its calendar does not reach.
#[expect(
    clippy::cast_precision_loss,
    reason = "a double has a microsecond to spare in these years"
)]
fn serial(time: &DateTime<Utc>) -> Option<f64> {
    const DAYS_TO_1970: f64 = 25_569.0;
    let is_there = (FIRST_DAY..END).contains(&time.timestamp());
    is_there.then(|| time.timestamp_micros() as f64 / 86_400e6 + DAYS_TO_1970)
}

/// Text as a cell can hold it; what is cut off is said.
fn fitting(text: &str) -> Cow<'_, str> {
    // No text has more units than bytes.
    if text.len() <= LONGEST || text.chars().map(char::len_utf16).sum::<usize>() <= LONGEST {
        return text.into();
    }
    // Room for the note.
    let (mut units, mut end) = (0, 0);
    for (at, char) in text.char_indices() {
        units += char.len_utf16();
        if units > LONGEST - 100 {
            end = at;
            break;
        }
    }
    let rest = text[end..].chars().count() as u64;
    format!("{}… (+{} characters; the JSON has all)", &text[..end], number(rest)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_excel_s() {
        let check = |time: &str, expect: Option<f64>| {
            assert_eq!(serial(&time.parse().unwrap()), expect, "{time}");
        };
        check("1970-01-01T00:00:00Z", Some(25_569.0));
        check("2026-03-02T09:00:00Z", Some(46_083.375));
        check("2026-03-02T12:00:00.250Z", Some(46_083.5 + 0.25 / 86_400.0));
        check("1900-03-01T00:00:00Z", Some(61.0));
        check("1900-02-28T23:59:59Z", None);
        check("9999-12-31T23:59:59Z", Some(2_958_465.0 + 86_399.0 / 86_400.0));
        check("+10000-01-01T00:00:00Z", None);
    }

    #[test]
    fn long_text_is_cut_and_said_to_be() {
        let units = |text: &str| text.encode_utf16().count();
        let fits = "é".repeat(LONGEST);
        assert_eq!(fitting(&fits), fits);
        for letter in ["a", "é", "𝒳"] {
            let long = letter.repeat(LONGEST + 1);
            let cut = fitting(&long);
            assert!(units(&cut) <= LONGEST, "{}", units(&cut));
            let (kept, note) = cut.split_once("… (+").unwrap();
            let n: usize = note.split(' ').next().unwrap().replace(',', "").parse().unwrap();
            assert_eq!(kept.chars().count() + n, LONGEST + 1, "{note}");
        }
    }

    #[test]
    fn titles() {
        assert_eq!(title("disputed_until", Holds::Time), "Disputed until (UTC)");
        assert_eq!(title("sid", Holds::Text), "SID");
        assert_eq!(title("client_ip", Holds::Text), "Client IP");
    }
}
