//! Text to rows: dialects, quotes, places.

use super::*;

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
