//! Text to rows: dialects, quotes, places.

use super::*;
use proptest::prelude::*;

/// Line and named cells of each row, or line and reason.
fn check(input: &str, columns: &[&str], expect: &[&str]) {
    let table = Table::open(input.as_bytes());
    let rows: Vec<String> = table
        .rows()
        .map(|row| match row {
            Ok(row) => {
                let cells = columns.iter().map(|c| row.get(c).unwrap_or("-")).collect::<Vec<_>>();
                format!("{}: {}", row.pos.number(), cells.join(" | "))
            }
            Err(reject) => format!("{}! {}", reject.pos.number(), reject.reason),
        })
        .collect();
    assert_eq!(rows, expect, "{input}");
}

#[test]
fn dialects() {
    let ab = &["A", "b"][..];
    check("a,b\n1,2\n", ab, &["2: 1 | 2"]);
    check("a;b\r\n1;2,5\r\n", ab, &["2: 1 | 2,5"]);
    check("a\tb\n1\t2", ab, &["2: 1 | 2"]);
    check("\"a;a\",\"b\"\n1,2", ab, &["2: - | 2"]);
    check(" a , \"B\" \n 1 , \n", ab, &["2: 1 | -"]);
    check("sep=;\na;b\n1;2\n", ab, &["3: 1 | 2"]);
    check("#TYPE System.Object\r\n\"a\",\"b\"\r\n\"1\",\"2\"\r\n", ab, &["3: 1 | 2"]);
    check("\n\na,b\n\n\n1,2\n\r\n3,4\n", ab, &["6: 1 | 2", "8: 3 | 4"]);
    check("a,b,\n1,2,\n3,4\n", ab, &["2: 1 | 2", "3! 2 cells for 3 columns (header at line 1)"]);
    check("a,b\n1,2,\n", ab, &["2: 1 | 2"]);
    check("a,b,A\n1,2,3\n", ab, &["2: 1 | 2"]);
}

/// Each row is read again from the next line; that must stay cheap where every line is such a row.
#[test]
fn nothing_but_stray_quotes() {
    let text = format!("a,b\n{}", "\"\n".repeat(20_000));
    let table = Table::open(text.as_bytes());
    let lines: Vec<u64> =
        table.rows().map(|row| row.map_or_else(|reject| reject.pos.number(), |_| 0)).collect();
    assert_eq!(lines, (2..=20_001).collect::<Vec<_>>());
}

#[test]
fn lines_of_records() {
    let ab = &["a", "b"][..];
    check("a,b\n\"x\ny\",2\n3,\"\"\"4\"\"\"\n", ab, &["2: x\ny | 2", "4: 3 | \"4\""]);
    check(
        "a,b\n1\n2,3,4\n5,6\n",
        ab,
        &[
            "2! 1 cells for 2 columns (header at line 1)",
            "3! 3 cells for 2 columns (header at line 1)",
            "4: 5 | 6",
        ],
    );
    // Two exports in one file.
    check("a,b\n1,2\n#TYPE System.Object\nA,B\n3,4\n", ab, &["2: 1 | 2", "5: 3 | 4"]);
}

#[test]
fn an_open_quote_costs_one_row() {
    let ab = &["a", "b"][..];
    check("a,b\n1,\"2\n3,4\n5,6\n", ab, &["2! cut short", "3: 3 | 4", "4: 5 | 6"]);
    check(
        "a,b\n\"1,2\n3,\"4\"\n5,6\n",
        ab,
        &["2! 1 cells for 2 columns (header at line 1)", "3: 3 | 4", "4: 5 | 6"],
    );
}

#[test]
fn nothing_to_read() {
    for empty in ["", "\n\n", "#TYPE x\n", "sep=,", "a,b", "a,b\r\n\r\n"] {
        check(empty, &["a"], &[]);
    }
    let table = Table::open(b"a\xff,b\n\xff1,2\n");
    assert!(table.has("B") && !table.has("c"));
    assert_eq!(table.rows().next().unwrap().unwrap().get("a\u{fffd}"), Some("\u{fffd}1"));
}

#[test]
fn many_open_quotes_lose_no_row() {
    let text = format!("a,b\n{}", "\"x\n1,2\n".repeat(2_000));
    let table = Table::open(text.as_bytes());
    assert_eq!(table.rows().filter(Result::is_ok).count(), 2_000);
    assert_eq!(table.rows().filter(Result::is_err).count(), 2_000);
}

/// Rows, told apart, each with what is in it.
fn told<'t>(rows: impl Iterator<Item = Result<Row<'t>, Reject>>) -> Vec<String> {
    rows.map(|row| match row {
        Ok(row) => format!("{}: {:?}", row.pos.number(), row.cells),
        Err(reject) => format!("{}! {}", reject.pos.number(), reject.reason),
    })
    .collect()
}

#[test]
fn marks_stand_between_rows() {
    let table = Table::open(b"\"a\",b\n1,2\n\"3\",\"\"\n\"x\"\"y\",\"\"\"\"\r\n5,6");
    let marks = table.marks(2).unwrap();
    assert_eq!(marks.len(), 2);
    assert_eq!(
        told(table.part(&marks, 1)),
        ["4: StringRecord([\"x\\\"y\", \"\\\"\"])", "5: StringRecord([\"5\", \"6\"])"]
    );
    for odd in ["a,b\n1,x\"y\n", "a,b\n\"1\n2\",3\n", "a,b\n\"1\"2,3\n", "a,b\n1,\"2"] {
        assert!(Table::open(odd.as_bytes()).marks(1).is_none(), "{odd}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Parts between marks hold the same rows, and the same rejects, as the whole.
    #[test]
    fn parts_are_the_whole(
        lines in proptest::collection::vec("[ab,;\"\r]{0,7}|\"[ab,]{0,3}\",(\"(\"\")?[ab]\"|b)|\u{feff}{0,2}(a,b|a,b,a)?", 0..14),
        n_lines in 1usize..4,
    ) {
        let text = format!("a,b\n{}", lines.join("\n"));
        let table = Table::open(text.as_bytes());
        if let Some(marks) = table.marks(n_lines) {
            let parts = (0..marks.len()).flat_map(|n| told(table.part(&marks, n)));
            let parts: Vec<String> = parts.collect();
            prop_assert_eq!(parts, told(table.rows()));
        }
    }
}
