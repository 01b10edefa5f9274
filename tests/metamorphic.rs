//! Stories retold: what must not change a verdict is changed in all of them, and nothing may come of
//! it but other places and times. No expected file is needed for that, and none can be wrong.

use crate::scenarios::{more, stories};
use crate::support::{Folder, files_under, root, run, stillin};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

/// A story: path to content.
type Tree = BTreeMap<String, Vec<u8>>;

fn tree(story: &str) -> Tree {
    let folder = root().join("samples/scenarios").join(story);
    let name = |file: &std::path::Path| {
        file.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/")
    };
    let files = files_under(&folder).into_iter().map(|file| (name(&file), fs::read(file).unwrap()));
    files.filter(|(name, _)| !name.starts_with("expected")).collect()
}

/// What was found, without places and times.
#[derive(Debug, PartialEq)]
struct Verdict {
    findings: Vec<String>,
    steps: Vec<String>,
    requests: Vec<String>,
}

/// Some fields of a JSON object, as text that can be compared.
fn fields(of: &Value, names: &[&str]) -> String {
    let field = |name: &&str| {
        assert!(of.get(name).is_some(), "no {name} in {of}");
        format!("{name}={}", of[name])
    };
    names.iter().map(field).collect::<Vec<_>>().join(" ")
}

fn finding(finding: &Value) -> String {
    let names = ["account", "kind", "residual", "exposure_seconds", "requests"];
    let path = |path: &Value| {
        let names = [
            "server",
            "pool",
            "protocol",
            "name",
            "class",
            "residual",
            "state",
            "requests",
            "data_requests",
            "clients",
        ];
        fields(path, &names)
    };
    let mut paths: Vec<String> = finding["paths"].as_array().unwrap().iter().map(path).collect();
    paths.sort();
    format!("{}\n  {}", fields(finding, &names), paths.join("\n  "))
}

fn verdict(story: &str, tree: &Tree) -> Verdict {
    let folder = Folder::new();
    for (name, content) in tree {
        folder.write(format!("story/{name}"), content);
    }
    let mut command = stillin();
    command.current_dir(folder.path()).args(["analyze", "story"]);
    command.args(["-o", "r.json", "--requests", "q.jsonl"]).args(more(story));
    let ran = run(&mut command, b"");
    assert_eq!(ran.status, 0, "{story}: {}", ran.stderr);
    let report: Value = serde_json::from_slice(&fs::read(folder.join("r.json")).unwrap()).unwrap();
    let sorted = |list: &Value, line: &dyn Fn(&Value) -> String| {
        let mut lines: Vec<String> = list.as_array().unwrap().iter().map(line).collect();
        lines.sort();
        lines
    };
    let rows = fs::read_to_string(folder.join("q.jsonl")).unwrap();
    let rows = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = [
        "server", "pool", "account", "kind", "status", "win32", "name", "device", "command",
        "class", "residual",
    ];
    Verdict {
        findings: sorted(&report["findings"], &finding),
        steps: sorted(&report["plan"], &|step| {
            fields(step, &["server", "pool", "action", "accounts"])
        }),
        requests: sorted(&Value::Array(rows), &|row| fields(row, &names)),
    }
}

/// Retells every story but some, and compares; `after` says what the verdict should have become.
fn check(but: &[&str], retell: impl Fn(&mut Tree), after: impl Fn(&str) -> String) {
    for story in stories().iter().filter(|story| !but.contains(&story.as_str())) {
        let mut told = tree(story);
        let expected = verdict(story, &told);
        assert!(!expected.requests.is_empty(), "{story}: no request was classed");
        let original = told.clone();
        retell(&mut told);
        assert!(told != original, "{story}: nothing was changed");
        let renamed = |mut lines: Vec<String>| {
            lines.iter_mut().for_each(|line| *line = after(line));
            lines.sort();
            lines
        };
        let expected = Verdict {
            findings: renamed(expected.findings),
            steps: renamed(expected.steps),
            requests: renamed(expected.requests),
        };
        let got = verdict(story, &told);
        assert!(got == expected, "{story}\n--- expected\n{expected:#?}\n--- got\n{got:#?}");
    }
}

/// Changes the web logs only, line by line; line ends stay with their lines. In `proxy-only` there is none, and in
/// `hole-over-change` NUL bytes stand before a header in its line.
fn each_log(tree: &mut Tree, change: impl Fn(Vec<Vec<u8>>) -> Vec<Vec<u8>>) {
    for (_, content) in tree.iter_mut().filter(|(name, _)| name.starts_with("iis/")) {
        let lines = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        *content = change(lines).concat();
    }
}

fn same(text: &str) -> String {
    text.to_owned()
}

fn replaced(content: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while !rest.is_empty() {
        if rest.starts_with(from.as_bytes()) {
            out.extend(to.as_bytes());
            rest = &rest[from.len()..];
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}

fn is_directive(line: &[u8]) -> bool {
    line.starts_with(b"#") || line.iter().all(|byte| matches!(byte, 0 | b'\r' | b'\n'))
}

/// The second of a line; none of a directive or of NUL bytes.
fn second(line: &[u8]) -> Option<&[u8]> {
    if is_directive(line) { None } else { line.get(..19).filter(|time| time.starts_with(b"20")) }
}

/// A week earlier. Two stories hold their times in base64.
#[test]
fn another_week() {
    let days = [("02", "02-23"), ("03", "02-24")];
    check(
        &["outlook-anywhere-night", "forms/ldif"],
        |tree| {
            for content in tree.values_mut() {
                for (day, earlier) in days {
                    *content =
                        replaced(content, &format!("2026-03-{day}"), &format!("2026-{earlier}"));
                }
                // The local time and the FILETIME of the directory's export.
                *content = replaced(content, "\"3/2/2026 ", "\"2/23/2026 ");
            }
        },
        same,
    );
}

/// Names are names: nothing hangs on who it is.
#[test]
fn other_names() {
    const NAMES: [&str; 10] =
        ["ada", "bob", "carol", "dan", "eve", "frank", "grace", "heidi", "ivan", "judy"];
    let rename = |text: &[u8]| -> Vec<u8> {
        let lower = text.to_ascii_lowercase();
        let mut out = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let stands_alone = |name: &&&str| {
                let end = at + name.len();
                lower[at..].starts_with(name.as_bytes())
                    && (at == 0
                        || !lower[at - 1].is_ascii_alphanumeric()
                        || lower[..at].ends_with(b"%5c"))
                    && !lower.get(end).is_some_and(u8::is_ascii_alphanumeric)
            };
            match NAMES.iter().find(stands_alone) {
                Some(name) => {
                    // Zada, zBob: as long as the case of what follows tells nothing.
                    out.push(if text[at].is_ascii_uppercase() { b'Z' } else { b'z' });
                    out.extend(&text[at..at + name.len()]);
                    at += name.len();
                }
                None => {
                    out.push(text[at]);
                    at += 1;
                }
            }
        }
        out
    };
    check(
        &[],
        |tree| tree.values_mut().for_each(|content| *content = rename(content)),
        |line| String::from_utf8(rename(line.as_bytes())).unwrap(),
    );
}

/// Somebody else, on another device, behind another address, after every line.
#[test]
fn other_peoples_requests() {
    let stranger = |line: &[u8]| -> Vec<u8> {
        let time = String::from_utf8_lossy(&line[..19]).into_owned();
        format!(
            "{time} 10.0.0.11 POST /Microsoft-Server-ActiveSync/default.eas Cmd=Sync&User=FABRIKAM%5Cmallory\
             &DeviceId=Appl0MALLORY0&DeviceType=iPhone 443 FABRIKAM\\mallory 192.0.2.77 Apple-iPhone9/1 - 200 0 0 120\r\n\
             {time} 10.0.0.11 GET /owa/ - 443 - 192.0.2.78 Mozilla/5.0+(stranger) - 401 2 5 1\r\n\
             {time} 10.0.0.11 POST /owa/service.svc - 443 - 192.0.2.78 Mozilla/5.0+(stranger) - 440 0 0 1\r\n"
        )
        .into_bytes()
    };
    check(
        &["proxy-only"],
        |tree| {
            each_log(tree, |lines| {
                let add = |line: Vec<u8>| match second(&line) {
                    Some(_) => vec![line.clone(), stranger(&line)],
                    None => vec![line],
                };
                lines.into_iter().flat_map(add).collect()
            });
        },
        same,
    );
}

/// The lines between two directives in the opposite order: what stands first says nothing.
#[test]
fn lines_backwards() {
    check(
        &["proxy-only"],
        |tree| {
            each_log(tree, |mut lines| {
                let runs = lines.chunk_by_mut(|a, b| second(a).is_some() == second(b).is_some());
                runs.filter(|run| second(&run[0]).is_some()).for_each(<[_]>::reverse);
                lines
            });
        },
        same,
    );
}

#[test]
fn line_ends() {
    check(
        &[],
        |tree| {
            for content in tree.values_mut() {
                *content = match content.contains(&b'\r') {
                    true => replaced(content, "\r\n", "\n"),
                    false => replaced(content, "\n", "\r\n"),
                };
            }
        },
        same,
    );
}

/// Columns nobody knows, in front, in the middle and at the end.
#[test]
fn unknown_columns() {
    check(
        &["hole-over-change", "proxy-only"],
        |tree| {
            each_log(tree, |lines| {
                let widen = |line: Vec<u8>| {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    let body = text.trim_end();
                    let (head, names, new) = match (body.strip_prefix("#Fields: "), second(&line)) {
                        (Some(names), _) => {
                            ("#Fields: ", names, ["x-first", "cs(X-Odd)", "x-last"])
                        }
                        (None, Some(_)) => ("", body, ["one", "2", "-"]),
                        (None, None) => return line,
                    };
                    let mut values: Vec<&str> = names.split(' ').collect();
                    values.insert(0, new[0]);
                    values.insert(6, new[1]);
                    values.push(new[2]);
                    format!("{head}{}\r\n", values.join(" ")).into_bytes()
                };
                lines.into_iter().map(widen).collect()
            });
        },
        same,
    );
}

/// The columns in another order: from the last to the first.
#[test]
fn columns_backwards() {
    check(
        &["hole-over-change", "proxy-only"],
        |tree| {
            each_log(tree, |lines| {
                let turn = |line: Vec<u8>| {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    let body = text.trim_end();
                    let (head, values) = match (body.strip_prefix("#Fields: "), second(&line)) {
                        (Some(names), _) => ("#Fields: ", names),
                        (None, Some(_)) => ("", body),
                        (None, None) => return line,
                    };
                    let values: Vec<&str> = values.split(' ').rev().collect();
                    format!("{head}{}\r\n", values.join(" ")).into_bytes()
                };
                lines.into_iter().map(turn).collect()
            });
        },
        same,
    );
}

/// Every log cut in two files, the second with the head of the first.
#[test]
fn logs_in_two() {
    check(
        &["proxy-only"],
        |tree| {
            let logs: Vec<String> =
                tree.keys().filter(|name| name.starts_with("iis/")).cloned().collect();
            for name in logs {
                let content = tree.remove(&name).unwrap();
                let lines: Vec<&[u8]> = content.split_inclusive(|&byte| byte == b'\n').collect();
                let head = lines.iter().take_while(|line| line.starts_with(b"#")).count();
                let middle = lines.len() * 3 / 4;
                let second = [lines[..head].concat(), lines[middle..].concat()].concat();
                tree.insert(name.replace(".log", "_a.log"), lines[..middle].concat());
                tree.insert(name.replace(".log", "_b.log"), second);
            }
        },
        same,
    );
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    to.write_all(content).unwrap();
    to.finish().unwrap()
}

fn utf16(content: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(content);
    let units = ["\u{feff}", text.trim_start_matches('\u{feff}')].concat();
    units.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Sources packed or re-encoded, under names that tell nothing.
#[test]
fn packed() {
    check(&[], |tree| tree.values_mut().for_each(|content| *content = gzip(content)), same);
    let zstd = |content: &[u8]| zstd::encode_all(content, 1).unwrap();
    check(&[], |tree| tree.values_mut().for_each(|content| *content = zstd(content)), same);
    check(
        &[],
        |tree| {
            let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            for (name, content) in std::mem::take(tree) {
                let options = zip::write::SimpleFileOptions::default();
                archive.start_file(name, options).unwrap();
                archive.write_all(&content).unwrap();
            }
            tree.insert("evidence.bin".into(), archive.finish().unwrap().into_inner());
        },
        same,
    );
}

/// As PowerShell 5.1 writes what it is given. NUL bytes would be text then, not damage.
#[test]
fn in_utf16() {
    check(&["hole"], |tree| tree.values_mut().for_each(|content| *content = utf16(content)), same);
}

/// The classed requests of a story: place to kind of change, status, class and residual.
fn classed(story: &str, tree: &Tree) -> BTreeMap<String, [String; 4]> {
    let folder = Folder::new();
    for (name, content) in tree {
        folder.write(format!("story/{name}"), content);
    }
    let mut command = stillin();
    command.current_dir(folder.path()).args(["analyze", "story", "-q"]);
    command.args(["-o", "r.json", "--requests", "q.jsonl"]).args(more(story));
    let ran = run(&mut command, b"");
    assert!(ran.status < 2, "{story}: {}", ran.stderr);
    let rows = fs::read_to_string(folder.join("q.jsonl")).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let place = format!("{}:{} {}", text("path"), row["line"], text("account"));
        (place, ["kind", "status", "class", "residual"].map(text))
    };
    rows.lines().map(row).collect()
}

/// What beside W3C logs and change evidence is there sharpens a verdict and turns none around: without it nobody is
/// accused for certain who was cleared, a refusal stays one, and who was served while disabled stays residual.
#[test]
fn without_a_source() {
    const KINDS: &[&str] = &["httpproxy/", "events/", "ews/", "mapihttp/"];
    let mut compared = 0;
    for story in stories().iter().filter(|story| *story != "proxy-only") {
        let told = tree(story);
        let kinds: Vec<&str> = KINDS
            .iter()
            .copied()
            .filter(|kind| told.keys().any(|name| name.starts_with(kind)))
            .collect();
        if kinds.is_empty() {
            continue;
        }
        let with = classed(story, &told);
        for without in 1..1u32 << kinds.len() {
            let is_taken = |name: &String| {
                let mut taken = kinds.iter().enumerate().filter(|(n, _)| without >> n & 1 == 1);
                taken.any(|(_, kind)| name.starts_with(kind))
            };
            let mut less = told.clone();
            less.retain(|name, _| !is_taken(name));
            for (place, [kind, status, class, residual]) in classed(story, &less) {
                // A line that only HttpProxy ties to the account is not seen without it, nor the other way round.
                let Some([_, _, class_with, residual_with]) = with.get(&place) else { continue };
                compared += 1;
                let what = format!(
                    "{story} {place} {kind} {status}: {class_with} {residual_with}, then {class} {residual}"
                );
                assert!(residual_with != "no" || residual != "certain", "{what}");
                assert_eq!(class == "refused", class_with == "refused", "{what}");
                if kind == "disabled" {
                    assert_eq!(residual == "no", residual_with == "no", "{what}");
                }
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

/// What a client typed need not be known: the ids tie it to the account that HttpProxy names, refusals and all.
#[test]
fn names_that_no_source_knows() {
    let typed = |who: &str| format!("{who}.typed@corp.example");
    let people = ["ada", "carol", "dan", "heidi", "frank"];
    for story in ["schemes-proxied", "mapi-kerberos", "ntlm-old-password", "impersonation"] {
        let told = tree(story);
        let mut retold = told.clone();
        each_log(&mut retold, |lines| {
            let retype = |mut line: Vec<u8>| {
                for who in people {
                    let from = format!(" 443 FABRIKAM\\{who} ");
                    line = replaced(&line, &from, &format!(" 443 {} ", typed(who)));
                }
                line
            };
            lines.into_iter().map(retype).collect()
        });
        assert!(retold != told, "{story}: nothing was changed");
        let mut expected = verdict(story, &told);
        for line in expected.findings.iter_mut().chain(&mut expected.requests) {
            for who in people {
                let name = format!("name=\"FABRIKAM\\\\{who}\"");
                *line = line.replace(&name, &format!("name=\"{}\"", typed(who)));
            }
        }
        expected.findings.sort();
        expected.requests.sort();
        let got = verdict(story, &retold);
        assert!(got == expected, "{story}\n--- expected\n{expected:#?}\n--- got\n{got:#?}");
    }
}

/// One server is one, though only HttpProxy names it: the web log lies anywhere, and knows an address.
#[test]
fn web_logs_without_a_server() {
    for story in ["schemes-proxied", "mapi-kerberos", "ntlm-old-password"] {
        let told = tree(story);
        let elsewhere = |(name, content): (&String, &Vec<u8>)| {
            (name.replace("iis/EX01/W3SVC1/", "logs/"), content.clone())
        };
        let moved: Tree = told.iter().map(elsewhere).collect();
        assert!(moved != told, "{story}: nothing was moved");
        assert!(verdict(story, &moved) == verdict(story, &told), "{story}");
    }
}
