//! How findings came and went, week by week, to a few lines of the summary.

use crate::Style;
use crate::page::{Ink, line};
use crate::report::{Report, Week};
use crate::terminal::heading;
use crate::text::{duration, number};

/// Weeks in words; the plot has all of them.
const WEEKS: usize = 4;

/// The lines, if there is a trend.
pub fn trend(out: &mut String, style: Style, report: &Report) {
    let Some(last) = report.trend.last() else { return };
    heading(out, style, "Week by week", 0, 0);
    let open: Vec<u64> = report.trend.iter().map(|week| week.open).collect();
    let ink = if last.open > 0 { Ink::Bad } else { Ink::Good };
    let plot = vec![
        (Ink::Faint, "open  ".to_owned()),
        (ink, blocks(&open)),
        (Ink::Plain, format!("  {} now", number(last.open))),
    ];
    line(out, style, (2, 8), &plot);
    for week in report.trend.iter().rev().take(WEEKS) {
        line(out, style, (2, 14), &[(Ink::Plain, words(week))]);
    }
}

/// `2026-03-02  3 new, 2 closed, 4 open; access lasted 40 min (median), 2 h (95 of 100), 3 h (worst)`
fn words(week: &Week) -> String {
    let Week { monday, new, closed, open, median_seconds, p95_seconds, worst_seconds } = week;
    let counts =
        format!("{} new, {} closed, {} open", number(*new), number(*closed), number(*open));
    let lasted = median_seconds.zip(*p95_seconds).zip(*worst_seconds);
    let lasted = lasted.map(|((median, p95), worst)| {
        let [median, p95, worst] = [median, p95, worst].map(duration);
        format!("; access lasted {median} (median), {p95} (95 of 100), {worst} (worst)")
    });
    format!("{monday}  {counts}{}", lasted.unwrap_or_default())
}

/// A plot of one line: none is the lowest block, the most the highest.
fn blocks(values: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().max().unwrap_or(0);
    let block = |value: &u64| {
        let nth = value.saturating_mul(7).checked_div(most).unwrap_or(0);
        BLOCKS.get(nth as usize).copied().unwrap_or('█')
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plot() {
        assert_eq!(blocks(&[0, 1, 2, 4, 8]), "▁▁▂▄█");
        assert_eq!(blocks(&[0, 0]), "▁▁");
        assert_eq!(blocks(&[3]), "█");
        assert_eq!(blocks(&[u64::MAX / 7, 1]), "█▁");
    }

    #[test]
    fn a_week_in_words() {
        let week = Week {
            monday: "2026-03-02".to_owned(),
            new: 3,
            closed: 2,
            open: 1,
            median_seconds: Some(2400),
            p95_seconds: Some(7200),
            worst_seconds: Some(7200),
        };
        let words = words(&week).replace(crate::text::TIE, " ");
        let expected = "2026-03-02  3 new, 2 closed, 1 open; access lasted 40 min (median), 2 h (95 of 100), 2 h (worst)";
        assert_eq!(words, expected);
        let quiet = Week { new: 0, closed: 0, median_seconds: None, ..week };
        assert_eq!(super::words(&quiet), "2026-03-02  0 new, 0 closed, 1 open");
    }
}
