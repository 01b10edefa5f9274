//! What happens to files and streams while the program runs: each costs itself, never the run.

use crate::determinism::generated;
use crate::scenarios::stories;
use crate::support::{Folder, contents, run, run_words, spawn, stillin};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// The limit of a file's size is what a full disk is to a write: an error in the middle. What stood there stays, be it of
/// an output that had room.
#[cfg(unix)] // Windows has no such limit.
#[test]
fn a_full_disk() {
    for too_large in ["b.json", "d.html", "q.csv"] {
        let folder = Folder::new();
        folder.copy("samples/scenarios/leaver/iis", "iis");
        folder.copy("samples/scenarios/leaver/ad", "ad");
        let written = ["exposure.csv", too_large];
        written.iter().for_each(|name| _ = folder.write(name, "of before"));
        let mut command = std::process::Command::new("sh");
        let words = stillin();
        let program = words.get_program().to_string_lossy().into_owned();
        for (name, _) in words.get_envs() {
            command.env_remove(name);
        }
        let of = |name: &&str| match *name == "q.csv" {
            true => format!("--requests {name}"),
            false => format!("-o {name}"),
        };
        let named = written.iter().map(of).collect::<Vec<_>>().join(" ");
        let script =
            format!("ulimit -f 2; trap '' XFSZ; exec '{program}' analyze iis ad -q {named}");
        let ran = run(command.current_dir(folder.path()).args(["-c", &script]), b"");
        assert_eq!(ran.status, 2, "{written:?}: {}", ran.stderr);
        let told = format!("stillin: cannot write {}: ", written[1]);
        assert!(ran.stderr.starts_with(&told) && ran.stderr.lines().count() == 1, "{}", ran.stderr);
        let all: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(all.len(), 4, "{all:?}");
        for name in written {
            assert_eq!(fs::read(folder.join(name)).unwrap(), b"of before", "{name}");
        }
    }
}

/// A report takes the place of another one with its rights, and of what is no file of its own alone it takes none.
#[cfg(unix)]
#[test]
fn what_an_output_replaces() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "iis");
    folder.copy("samples/scenarios/leaver/ad", "ad");
    for name in ["mode.json", "target.json", "twice.json"] {
        folder.write(name, "of before");
    }
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(folder.join("mode.json"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("target.json", folder.join("link.json")).unwrap();
    fs::hard_link(folder.join("twice.json"), folder.join("other.json")).unwrap();
    let mut command = stillin();
    command.current_dir(folder.path()).args(["analyze", "iis", "ad", "-q"]);
    for name in ["mode.json", "link.json", "twice.json", "/dev/null"] {
        command.args(["-o", name]);
    }
    command.args(["-f", "json"]);
    let ran = run(&mut command, b"");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let report = fs::read(folder.join("mode.json")).unwrap();
    assert!(report.starts_with(b"{"));
    assert_eq!(mode("mode.json"), 0o600);
    for name in ["target.json", "twice.json", "other.json"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), report, "{name}");
    }
    assert!(fs::symlink_metadata(folder.join("link.json")).unwrap().is_symlink());
    assert_eq!(fs::metadata(folder.join("twice.json")).unwrap().nlink(), 2);
}

/// A reader that goes away early, as `head` does, is no error.
#[test]
fn broken_pipe() {
    let folder = Folder::new();
    generated(
        folder.path(),
        &["--size", "4MiB", "--days", "1", "--users", "200", "--watched", "90"],
    );
    let runs: [&[&str]; 5] = [
        &["analyze", "iis", "ad"],
        &["analyze", "iis", "ad", "--format", "json", "--color", "always"],
        &["analyze", "iis", "ad", "--requests", "-"],
        &["inspect", "iis", "ad", "--format", "json"],
        &["man"],
    ];
    for words in runs {
        let mut command = stillin();
        command
            .current_dir(folder.path())
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn(&mut command);
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty(), "{words:?}");
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {stderr}");
        assert!(!stderr.contains("pipe") && !stderr.contains("panicked"), "{stderr}");
    }
}

/// A log that is truncated under the reader is told, and the others are judged as ever.
/// (Windows truncates no file that is mapped: `src/input/tests/windows.rs`.)
#[cfg(unix)]
#[test]
fn truncated_while_read() {
    use crate::support::Ran;
    use std::time::Instant;
    let folder = Folder::new();
    let arguments = ["--size", "48MiB", "--servers", "2", "--days", "1", "--users", "400"];
    generated(folder.path(), &[&arguments[..], &["--watched", "40"]].concat());
    let log = folder.join("iis/EX01/W3SVC1/u_ex260302.log");
    let whole = fs::read(&log).unwrap();
    let analyze = |while_it_runs: &dyn Fn()| -> (Ran, serde_json::Value) {
        let mut command = stillin();
        command.current_dir(folder.path());
        command.args(["analyze", "iis", "ad", "--threads", "1", "-o", "r.json"]);
        let child = spawn(command.stderr(Stdio::piped()));
        while_it_runs();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let ran = Ran { status: output.status.code().unwrap_or(-1), stdout: String::new(), stderr };
        let report = fs::read(folder.join("r.json")).unwrap();
        (ran, serde_json::from_slice(&report).unwrap())
    };
    let records = |report: &serde_json::Value, server: &str| -> u64 {
        let sources = report["sources"].as_array().unwrap();
        let source = sources.iter().find(|source| source["server"] == server);
        source.map_or(0, |source| source["records"].as_u64().unwrap())
    };
    let start = Instant::now();
    let (ran, undisturbed) = analyze(&|| ());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let took = start.elapsed();
    let mut n_noticed = 0;
    for attempt in 0..60 {
        fs::write(&log, &whole).unwrap();
        let (ran, report) = analyze(&|| {
            std::thread::sleep(took * attempt / 20);
            File::options().write(true).open(&log).unwrap().set_len(1 << 20).unwrap();
        });
        assert!(matches!(ran.status, 0 | 1), "status {}: {}", ran.status, ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert_eq!(records(&report, "EX02"), records(&undisturbed, "EX02"), "{}", ran.stderr);
        let is_noticed = ran.stderr.contains("shrank from");
        assert!(!is_noticed || ran.status == 1, "{}", ran.stderr);
        assert!(!is_noticed || ran.stderr.contains("EX01/W3SVC1/u_ex260302.log: shrank from"));
        // Else it was truncated when all was over, or before it was opened.
        let (all, got) = (records(&undisturbed, "EX01"), records(&report, "EX01"));
        assert!(is_noticed || got == all || got < all / 10, "{got} of {all}: {}", ran.stderr);
        n_noticed += u32::from(is_noticed);
        if n_noticed >= 5 {
            break;
        }
    }
    assert!(n_noticed > 0, "{took:?}: no attempt hit");
}

/// What cannot be opened is told and left out. (Symbolic links and modes are Unix's.)
#[cfg(unix)]
#[test]
fn unreadable() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/iis", "iis");
    folder.copy("samples/scenarios/leaver/ad", "ad");
    symlink("nowhere", folder.join("iis/gone.log")).unwrap();
    folder.write("iis/locked.log", "#Fields: date time\r\n");
    fs::set_permissions(folder.join("iis/locked.log"), fs::Permissions::from_mode(0o000)).unwrap();
    let is_locked = File::open(folder.join("iis/locked.log")).is_err();
    let mut command = stillin();
    let ran = run(command.current_dir(folder.path()).args(["analyze", "."]), b"");
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("iis/gone.log: no such file"), "{}", ran.stderr);
    // For root nothing is locked.
    if is_locked {
        assert!(ran.stderr.contains("iis/locked.log: "), "{}", ran.stderr);
    }
    assert!(ran.stdout.contains("f1  FABRIKAM\\ada  CERTAIN"), "{}", ran.stdout);
}

/// A named pipe is no file: it is told, and not waited for. (On Windows none lies in a folder.)
#[cfg(unix)]
#[test]
fn named_pipe() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/ad", "ad");
    let made = std::process::Command::new("mkfifo").arg(folder.join("ad/pipe")).status();
    assert!(made.unwrap().success());
    let mut command = stillin();
    let ran = run(command.current_dir(folder.path()).args(["inspect", "."]), b"");
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("ad/pipe: a pipe, not a file"), "{}", ran.stderr);
}

/// Archives and packed files that end early give what they hold, and say so.
#[test]
fn cut_short() {
    let folder = Folder::new();
    folder.copy("samples/scenarios/leaver/ad", "ad");
    let log =
        crate::support::root().join("samples/scenarios/leaver/iis/EX01/W3SVC1/u_ex260302.log");
    let mut packed = Vec::new();
    let file = File::open(log).unwrap();
    flate2::read::GzEncoder::new(file, flate2::Compression::fast())
        .read_to_end(&mut packed)
        .unwrap();
    let log = folder.write("EX01/W3SVC1/u.log.gz", &packed);
    let analyze = || {
        let mut command = stillin();
        run(command.current_dir(folder.path()).args(["analyze", "."]), b"")
    };
    let ran = analyze();
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    for keep in [packed.len() / 2, packed.len() - 1] {
        fs::write(&log, &packed[..keep]).unwrap();
        let ran = analyze();
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("u.log.gz: the gzip data is cut short"), "{}", ran.stderr);
    }
}

/// No run changes what it reads.
#[test]
fn sources_stay_as_they_are() {
    for story in stories() {
        let folder = Folder::new();
        folder.copy(&format!("samples/scenarios/{story}"), "story");
        let before = contents(&folder.join("story"));
        let (path, out) = (folder.join("story"), folder.join("r.json"));
        let rows = folder.join("q.csv");
        let words = [
            path.as_os_str(),
            "-o".as_ref(),
            out.as_os_str(),
            "--requests".as_ref(),
            rows.as_os_str(),
        ];
        let ran = run_words(["analyze".as_ref()].into_iter().chain(words));
        assert!(matches!(ran.status, 0 | 1), "{story}: {}", ran.stderr);
        assert!(contents(&folder.join("story")) == before, "{story}: was changed");
    }
}

/// Parquet: the same number of rows as the CSV, and the mark of the format at both ends.
#[test]
fn parquet() {
    let folder = Folder::new();
    for rows in ["q.parquet", "q.csv"] {
        let (out, rows) = (folder.join("r.json"), folder.join(rows));
        let story = "samples/scenarios/leaver";
        let words =
            ["analyze", story, "-o", out.to_str().unwrap(), "--requests", rows.to_str().unwrap()];
        assert_eq!(run_words(words).status, 0);
    }
    let bytes = fs::read(folder.join("q.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let csv = fs::read_to_string(folder.join("q.csv")).unwrap();
    let names = csv.lines().next().unwrap().split(',');
    let text = String::from_utf8_lossy(&bytes);
    names.for_each(|name| assert!(text.contains(name), "{name} is no column"));
    assert!(csv.lines().count() > 15 && text.contains("ApplDNQX7K2M0F17"));
}
