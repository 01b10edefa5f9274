//! Spans of inked words to lines of a terminal: wrapped at its width, coloured where that is wanted.

use anstyle::{AnsiColor, Effects};
use unicode_width::UnicodeWidthStr;

use crate::Style;
use crate::text::TIE;

/// What a colour means. The words beside it always say the same: colour is never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Ordinary text.
    Plain,
    /// Headings and names.
    Strong,
    /// Open, certain.
    Bad,
    /// Possible, likely, unknown.
    Doubt,
    /// Cut, all clear.
    Good,
    /// Places and other small print.
    Faint,
}

/// A piece of text in one ink.
pub type Span = (Ink, String);

/// Columns that text takes in a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Text filled up with spaces to a width.
pub fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Adds one line that begins after `indent` columns; where it is too long it is broken between
/// words, and goes on after `hang` columns. A word is never broken: it may be a path to copy, or a
/// time whose spaces are tied.
pub fn line(out: &mut String, style: Style, (indent, hang): (usize, usize), spans: &[Span]) {
    let limit = style.width.max(40);
    let mut pen = Ink::Plain;
    let mut column = indent;
    let mut fresh = true;
    out.push_str(&" ".repeat(indent));
    for (gap, word) in words(spans) {
        let wide: usize = word.iter().map(|(_, text)| width(text)).sum();
        if !fresh && column + gap + wide > limit {
            change(out, style, &mut pen, Ink::Plain);
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
        } else {
            out.push_str(&" ".repeat(gap));
            column += gap;
        }
        for (ink, text) in word {
            change(out, style, &mut pen, ink);
            out.push_str(&text.replace(TIE, " "));
        }
        column += wide;
        fresh = false;
    }
    change(out, style, &mut pen, Ink::Plain);
    out.push('\n');
}

/// Words with the spaces before each: what stands between two spaces is one word, though it may be
/// of several inks.
fn words(spans: &[Span]) -> Vec<(usize, Vec<(Ink, &str)>)> {
    let mut words: Vec<(usize, Vec<(Ink, &str)>)> = Vec::new();
    let mut gap = 0;
    let mut open = false;
    for (ink, text) in spans {
        for (i, part) in text.split(' ').enumerate() {
            if i > 0 {
                gap += 1;
                open = false;
            }
            if part.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some((_, word)) if open => word.push((*ink, part)),
                _ => words.push((gap, vec![(*ink, part)])),
            }
            gap = 0;
            open = true;
        }
    }
    words
}

fn change(out: &mut String, style: Style, pen: &mut Ink, ink: Ink) {
    if !style.color || *pen == ink {
        return;
    }
    if *pen != Ink::Plain {
        out.push_str(&anstyle::Reset.to_string());
    }
    out.push_str(&look(ink).render().to_string());
    *pen = ink;
}

fn look(ink: Ink) -> anstyle::Style {
    let plain = anstyle::Style::new();
    match ink {
        Ink::Plain => plain,
        Ink::Strong => plain.effects(Effects::BOLD),
        Ink::Bad => AnsiColor::Red.on_default().effects(Effects::BOLD),
        Ink::Doubt => AnsiColor::Yellow.on_default(),
        Ink::Good => AnsiColor::Green.on_default(),
        Ink::Faint => plain.effects(Effects::DIMMED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(color: bool, margins: (usize, usize), spans: &[(Ink, &str)]) -> String {
        let spans: Vec<Span> = spans.iter().map(|(ink, text)| (*ink, (*text).into())).collect();
        let mut out = String::new();
        line(&mut out, Style { color, width: 40 }, margins, &spans);
        out
    }

    #[test]
    fn wraps_between_words_only() {
        let check = |text: &str, expect: &str| {
            assert_eq!(lines(false, (2, 4), &[(Ink::Plain, text)]), expect, "{text:?}");
        };
        check("", "  \n");
        check("one  two", "  one  two\n");
        check(&"x".repeat(60), &format!("  {}\n", "x".repeat(60)));
        check(
            "twelve chars twelve chars twelve chars!! more",
            "  twelve chars twelve chars twelve\n    chars!! more\n",
        );
        check(&format!("a {} b", "x".repeat(60)), &format!("  a\n    {}\n    b\n", "x".repeat(60)));
        check(
            "日本語日本語日本語 日本語日本語日本語 日本語",
            "  日本語日本語日本語 日本語日本語日本語\n    日本語\n",
        );
    }

    #[test]
    fn tied_words_stay_together() {
        let text = format!("{} 18:00:05{TIE}UTC", "x".repeat(30));
        let expect = format!("{}\n  18:00:05 UTC\n", "x".repeat(30));
        assert_eq!(lines(false, (0, 2), &[(Ink::Plain, &text)]), expect);
    }

    #[test]
    fn a_word_of_two_inks_stays_whole() {
        let text = "x".repeat(31);
        let spans = [(Ink::Plain, text.as_str()), (Ink::Bad, " open"), (Ink::Plain, ": now")];
        assert_eq!(lines(false, (0, 2), &spans), format!("{text} open:\n  now\n"));
        assert_eq!(
            lines(true, (0, 2), &spans),
            format!("{text} \x1b[1m\x1b[31mopen\x1b[0m:\n  now\n")
        );
    }

    #[test]
    fn ink_ends_with_its_line() {
        let text = format!("{} {}", "x".repeat(30), "y".repeat(30));
        let drawn = lines(true, (0, 0), &[(Ink::Faint, &text)]);
        for line in drawn.lines() {
            assert!(line.starts_with("\x1b[2m") && line.ends_with("\x1b[0m"), "{line:?}");
        }
        assert_eq!(drawn.lines().count(), 2);
    }
}
