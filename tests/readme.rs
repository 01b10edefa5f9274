//! README.md runs: every command of its `sh` blocks, and what it says a command prints is printed.

use crate::support::{Folder, Ran, root, run, stillin};
use std::fs;

/// A fenced block: its language and its lines.
struct Block {
    language: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(language) if !is_open => {
                blocks.push(Block { language: language.trim().to_owned(), lines: Vec::new() });
                is_open = true;
            }
            Some(_) => is_open = false,
            None if is_open => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            None => (),
        }
    }
    assert!(!is_open, "a block is not closed");
    blocks
}

/// The words of a command line for this program; none of another's. Enough of a shell for a README:
/// single and double quotes, and a backslash or `|` at the end goes on in the next line.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ");
    let rest = line.strip_prefix("cargo run --release -- ").or(line.strip_prefix("stillin "))?;
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in rest.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            (' ', None) => words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty())),
            ('|' | '>' | '<' | '&' | ';' | '$' | '`' | '\\', None) => {
                panic!("README.md: `{line}`: more of a shell than this test knows")
            }
            _ => word.push(c),
        }
    }
    assert_eq!(quote, None, "README.md: `{line}`");
    words.extend(Some(word).filter(|word| !word.is_empty()));
    Some(words)
}

#[test]
fn commands_and_output() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let folder = Folder::new();
    folder.copy("samples", "samples");
    let mut last: Option<Ran> = None;
    let (mut n_commands, mut n_compared) = (0, 0);
    for block in blocks(&text) {
        match block.language.as_str() {
            "sh" => {
                for line in block.lines {
                    let Some(words) = words(&line) else {
                        // Other programs' lines: the tests themselves, and what builds the program.
                        let is_known =
                            ["tests/run", "cargo ", "#"].iter().any(|w| line.starts_with(w));
                        assert!(is_known, "README.md: `{line}` is not understood");
                        continue;
                    };
                    let mut command = stillin();
                    let ran = run(command.current_dir(folder.path()).args(&words), b"");
                    assert!(matches!(ran.status, 0 | 1), "README.md: `{line}`: {}", ran.stderr);
                    n_commands += 1;
                    last = Some(ran);
                }
            }
            "text" => {
                let ran = last.take().expect("output without a command before it");
                assert_eq!(
                    ran.stdout.trim_end(),
                    block.lines.join("\n"),
                    "README.md shows other output"
                );
                n_compared += 1;
            }
            _ => (),
        }
    }
    assert!(n_commands >= 5 && n_compared >= 1, "{n_commands} commands, {n_compared} outputs");
}

/// The list in the README can be read.
#[test]
fn change_list() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let lists: Vec<Block> =
        blocks(&text).into_iter().filter(|block| block.language == "csv").collect();
    assert!(!lists.is_empty());
    for list in lists {
        let folder = Folder::new();
        let path = folder.write("list.csv", list.lines.join("\r\n"));
        let ran = run(stillin().arg("inspect").arg(path), b"");
        assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("change-list"), "{}", ran.stdout);
    }
}

/// What the program says of its exit statuses, formats and verbs, the README says as well.
#[test]
fn options() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let help = run(stillin().args(["analyze", "--help"]), b"").stdout;
    let options = help.split_whitespace().filter(|word| word.starts_with("--"));
    for option in options.map(|word| word.trim_end_matches([',', '.', ';'])) {
        // Plain to anybody, or said by --help itself.
        if !["--help", "--color", "--server", "--quiet", "--output"].contains(&option) {
            assert!(text.contains(option), "README.md does not tell of {option}");
        }
    }
}
