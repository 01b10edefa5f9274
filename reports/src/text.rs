//! Values to words for a reader: text of logs made harmless, numbers, spans of time, places.

use std::fmt::Write;

use chrono::{DateTime, Utc};

/// Characters of one text that are shown; a user agent may be 64 KiB of anything.
const SHOWN: usize = 300;

/// A space that no line is broken at. It cannot come from a log: `safe` shows it as an escape.
pub const TIE: char = '\x1f';

/// Text of a log for a terminal. The one way in for every text that this program did not write:
/// [`visible`], and what is too long is cut, saying by how much.
pub fn safe(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let mut out = visible(&shown);
    match text.chars().skip(SHOWN).count() {
        0 => {}
        more => _ = write!(out, "…(+{} characters)", number(more as u64)),
    }
    out
}

/// Characters that steer a terminal, turn the direction of the text round or hide become visible
/// escapes (DESIGN.md section 5, rule 5). For texts that must not be cut.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => _ = write!(out, "\\x{:02x}", u32::from(char)),
            char if steers(char) => _ = write!(out, "\\u{{{:x}}}", u32::from(char)),
            char => out.push(char),
        }
    }
    out
}

/// Characters beyond C0 and C1 that change how other text is shown, or that cannot be seen at all.
fn steers(char: char) -> bool {
    matches!(char,
        '\u{200e}' | '\u{200f}' | '\u{61c}'         // marks of direction
        | '\u{202a}'..='\u{202e}'                   // embeddings and overrides
        | '\u{2066}'..='\u{2069}'                   // isolates
        | '\u{2028}' | '\u{2029}'                   // separators of lines and paragraphs
        | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `1234567` as `1,234,567`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 request`, `41 requests`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A span of seconds in its two largest units: `1 h 30 min`.
pub fn duration(seconds: i64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds.unsigned_abs();
    let mut words = Vec::new();
    if seconds < 0 {
        words.push("minus".to_owned());
    }
    let first = UNITS.iter().position(|(size, _)| rest >= *size).unwrap_or(3);
    for (size, unit) in UNITS.iter().skip(first).take(2) {
        if rest >= *size || (seconds == 0 && *size == 1) {
            words.push(format!("{}{TIE}{unit}", number(rest / size)));
        }
        rest %= size;
    }
    words.join(&TIE.to_string())
}

/// A time to the second: `2026-03-02 18:00:05 UTC`.
pub fn time(time: &DateTime<Utc>) -> String {
    tied(time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A time to the minute, for spans where the second is of no interest: `2026-03-02 18:00 UTC`.
pub fn minute(time: &DateTime<Utc>) -> String {
    tied(time.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// A word of the report, or a text with ties, as plain words: `password_reset` as `password reset`.
pub fn plain(text: &str) -> String {
    text.replace(['_', TIE], " ")
}

fn tied(text: String) -> String {
    text.replace(' ', &TIE.to_string())
}

/// Where something stands: `u_ex260302.log:1042`, `dc1.evtx#88213` (records have no lines).
pub fn place(path: &str, pos: u64, kind: &str) -> String {
    format!("{}{}{pos}", safe(path), if kind == "evtx" { '#' } else { ':' })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_shows_what_would_steer() {
        let check = |input: &str, expect: &str| assert_eq!(safe(input), expect, "{input:?}");
        check("FABRIKAM\\ada", "FABRIKAM\\ada");
        check("Zoë 日本 المستخدم", "Zoë 日本 المستخدم");
        check("<img onerror>\"'", "<img onerror>\"'");
        check("a\tb\r\nc\0", "a\\x09b\\x0d\\x0ac\\x00");
        check("\x1b[2Jgone\x07", "\\x1b[2Jgone\\x07");
        check("\x7f\u{80}\u{9b}31m\u{9f}", "\\x7f\\x80\\x9b31m\\x9f");
        check("\u{202e}gpj.exe\u{202c}", "\\u{202e}gpj.exe\\u{202c}");
        check("\u{200e}\u{200f}\u{2066}\u{2069}", "\\u{200e}\\u{200f}\\u{2066}\\u{2069}");
        check("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}");
        check("a\u{200b}da\u{feff}\u{e0041}", "a\\u{200b}da\\u{feff}\\u{e0041}");
        check("", "");
    }

    #[test]
    fn safe_cuts_what_is_too_long() {
        assert_eq!(safe(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        let cut = safe(&"é".repeat(SHOWN + 1234));
        assert_eq!(cut, "é".repeat(SHOWN) + "…(+1,234 characters)");
    }

    #[test]
    fn no_control_character_gets_through() {
        let all: Vec<char> = ('\0'..=char::MAX).collect();
        for chars in all.chunks(SHOWN) {
            let shown = safe(&chars.iter().collect::<String>());
            assert!(!shown.chars().any(|c| c.is_control() || steers(c)), "{shown:?}");
        }
    }

    #[test]
    fn durations() {
        let check = |input: i64, expect: &str| {
            assert_eq!(duration(input).replace(TIE, " "), expect, "{input}");
        };
        check(0, "0 s");
        check(59, "59 s");
        check(60, "1 min");
        check(61, "1 min 1 s");
        check(5400, "1 h 30 min");
        check(3605, "1 h");
        check(90_000, "1 d 1 h");
        check(86_400 * 1_234, "1,234 d");
        check(-5, "minus 5 s");
        check(i64::MIN, "minus 106,751,991,167,300 d 15 h");
    }

    #[test]
    fn numbers_and_places() {
        let check = |input: u64, expect: &str| assert_eq!(number(input), expect);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        check(u64::MAX, "18,446,744,073,709,551,615");
        assert_eq!(count(1, "request", "requests"), "1 request");
        assert_eq!(count(0, "request", "requests"), "0 requests");
        assert_eq!(place("a.log", 7, "iis-w3c"), "a.log:7");
        assert_eq!(place("dc1.evtx", 88_213, "evtx"), "dc1.evtx#88213");
    }
}
