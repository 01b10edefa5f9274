//! Arguments as people type them.

// What is skipped is said, and children answer their parents.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use super::*;
use crate::input::tests::Scratch;

/// What the arguments, below a scratch folder, give: the paths and the problems, without that folder's name.
fn check(scratch: &Scratch, args: &[&str], expect: &[&str], problems: &[&str]) {
    let strip = |text: String| text.replace(&format!("{}/", display(&scratch.0)), "");
    let mut args: Vec<PathBuf> = args
        .iter()
        .map(|arg| if *arg == "-" { PathBuf::from("-") } else { scratch.0.join(arg) })
        .collect();
    for _ in 0..2 {
        let (found, wrong) = sources(&args);
        let found: Vec<String> = found.into_iter().map(|source| strip(source.path)).collect();
        let wrong: Vec<String> = wrong.into_iter().map(|p| strip(p.to_string())).collect();
        assert_eq!(found, expect, "{args:?}");
        assert_eq!(wrong.len(), problems.len(), "{wrong:?}");
        for (wrong, problem) in wrong.iter().zip(problems) {
            assert!(wrong.starts_with(problem) && wrong.contains("; "), "{wrong:?}");
        }
        // Their order is of no consequence.
        args.reverse();
    }
}

#[test]
fn files_folders_globs_and_standard_input() {
    let scratch = Scratch::new();
    for name in [
        "EX01/W3SVC1/u_ex260301.log",
        "EX01/W3SVC1/u_ex260302.log",
        "EX02/W3SVC1/u_ex260301.log.gz",
        "ad/users.csv",
        "ad/.hidden",
        "ad/.git/config",
        "x[1].log",
        "x1.log",
    ] {
        scratch.write(name, b"x");
    }
    fs::create_dir_all(scratch.0.join("empty/also")).unwrap();
    let ex01 = ["EX01/W3SVC1/u_ex260301.log", "EX01/W3SVC1/u_ex260302.log"];
    check(&scratch, &["EX01"], &ex01, &[]);
    check(&scratch, &["EX01/"], &ex01, &[]);
    check(&scratch, &["EX01/W3SVC1/*.log"], &ex01, &[]);
    check(&scratch, &["EX01", "EX01/W3SVC1", ex01[0], "EX0?/**/*01.log"], &ex01, &[]);
    check(&scratch, &["EX0*"], &[ex01[0], ex01[1], "EX02/W3SVC1/u_ex260301.log.gz"], &[]);
    check(&scratch, &["ad"], &["ad/.hidden", "ad/users.csv"], &[]);
    check(&scratch, &["ad/.git"], &["ad/.git/config"], &[]);
    check(&scratch, &["-", "ad/users.csv", "-"], &["-", "ad/users.csv"], &[]);
    // What exists is meant as it stands; only what does not can be a pattern.
    check(&scratch, &["x[1].log"], &["x[1].log"], &[]);
    check(&scratch, &["x[12].log"], &["x1.log"], &[]);
    let missing = "no.log: no such file or folder; check the spelling";
    check(&scratch, &["no.log", "x1.log", "no.log"], &["x1.log"], &[missing]);
    check(&scratch, &["no*.log"], &[], &["no*.log: the pattern matches nothing"]);
    check(&scratch, &["no[.log"], &[], &["no[.log: neither a path nor a pattern"]);
    check(&scratch, &["empty"], &[], &["empty: the folder holds no files"]);
    check(&scratch, &[], &[], &[]);
}

#[test]
fn paths_are_shown_as_they_were_given() {
    for (root, path, expect) in [
        ("logs", "logs/EX01/a.log", "logs/EX01/a.log"),
        ("logs/", "logs/EX01/a.log", "logs/EX01/a.log"),
        ("./logs//", "./logs//a.log", "./logs/a.log"),
        (".", "./a.log", "./a.log"),
        ("/", "/a.log", "/a.log"),
    ] {
        assert_eq!(below(Path::new(root), Path::new(path)), expect);
    }
    let expect = if cfg!(windows) { "C:/logs/a" } else { r"C:\logs\a" };
    assert_eq!(display(Path::new(r"C:\logs\a")), expect);
}

/// What a folder is called on a command line of Windows: the prompt leaves globs to the program, and does not tell
/// cases apart.
#[cfg(windows)]
#[test]
fn paths_of_windows() {
    let scratch = Scratch::new();
    scratch.write("EX01/W3SVC1/u_ex260301.log", b"x");
    scratch.write("EX01/W3SVC1/u_ex260302.log", b"x");
    let logs = ["EX01/W3SVC1/u_ex260301.log", "EX01/W3SVC1/u_ex260302.log"];
    check(&scratch, &[r"EX01\W3SVC1\*.log"], &logs, &[]);
    check(&scratch, &[r"EX0?\**\*02.LOG"], &logs[1..], &[]);
    check(&scratch, &[r"EX01\", r"ex01\W3SVC1\U_EX260301.log"], &logs, &[]);
    check(&scratch, &[r"EX02\*.log"], &[], &[r"EX02/*.log: the pattern matches nothing"]);
    // A prompt takes `"C:\my logs\"` for a name with a quote at its end.
    check(&scratch, &["EX01\""], &[], &["EX01\": no such file or folder; check the spelling"]);
    check(
        &scratch,
        &[r"EX01\W3SVC1\u_ex260301.log\x"],
        &[],
        &["EX01/W3SVC1/u_ex260301.log/x: no such file or folder"],
    );
    assert_eq!(display(Path::new(r"\\EX01\c$\inetpub\logs\")), "//EX01/c$/inetpub/logs");
    let (share, log) = (Path::new(r"\\EX01\logs"), Path::new(r"\\EX01\logs\W3SVC1\u.log"));
    assert_eq!(below(share, log), "//EX01/logs/W3SVC1/u.log");
    assert_eq!(below(Path::new(r"D:\"), Path::new(r"D:\a\u.log")), "D:/a/u.log");
}

/// The current folder of a drive is told from its root on.
#[cfg(windows)]
#[test]
fn drives_of_windows() {
    let current = std::env::current_dir().unwrap();
    let drive = &current.to_str().unwrap()[..2];
    assert_eq!(rooted(Path::new(drive)), current);
    assert_eq!(rooted(Path::new(&format!("{drive}a.log"))), current.join("a.log"));
    for path in ["a.log", r"C:\a.log", r"\a.log", r"\\EX01\logs\a.log"] {
        assert_eq!(rooted(Path::new(path)), Path::new(path));
    }
}

/// Beyond the 260 letters that Windows long allowed: a folder of evidence within a folder of evidence.
#[test]
fn long_paths_are_opened() {
    let scratch = Scratch::new();
    let folder = ["a-folder-of-evidence-with-a-long-name"; 9].join("/");
    let name = format!("{folder}/EX01/W3SVC1/u_ex260301.log");
    scratch.write(&name, b"x");
    check(&scratch, &[&folder], &[&name], &[]);
    check(&scratch, &[&format!("{folder}/EX01/W3SVC1/*.log")], &[&name], &[]);
    let (found, _) = sources(&[scratch.0.join(&folder)]);
    assert_eq!(fs::read(&found[0].fs_path).unwrap(), b"x");
}

// Windows lets only administrators make links.
#[cfg(unix)]
#[test]
fn links_are_followed_and_read_once() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new();
    scratch.write("logs/a.log", b"x");
    symlink(&scratch.0, scratch.0.join("logs/loop")).unwrap();
    symlink("a.log", scratch.0.join("logs/0-link.log")).unwrap();
    // One file of several names is shown by the first of them.
    check(&scratch, &["logs"], &["logs/0-link.log"], &[]);
    symlink("nowhere", scratch.0.join("logs/broken")).unwrap();
    check(&scratch, &["logs"], &["logs/0-link.log"], &["logs/broken: no such file"]);
}

// Pipes and sockets do not lie in folders of Windows.
#[cfg(unix)]
#[test]
fn only_files_are_taken() {
    let scratch = Scratch::new();
    scratch.write("logs/a.log", b"x");
    let pipe = scratch.0.join("logs/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(scratch.0.join("logs/socket")).unwrap();
    let wrong = ["logs/pipe: a pipe, not a file", "logs/socket: a socket, not a file"];
    check(&scratch, &["logs"], &["logs/a.log"], &wrong);
    check(&scratch, &["logs/pipe"], &["logs/pipe"], &[]);
    let (found, problems) = sources(&[PathBuf::from("/dev/null")]);
    assert_eq!(found.len(), 0);
    assert!(problems[0].to_string().starts_with("/dev/null: a device, not a file"), "{problems:?}");
}

// Elsewhere names are Unicode.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_opened() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.log");
    fs::write(scratch.0.join(name), b"x").unwrap();
    check(&scratch, &["."], &["./caf\u{fffd}.log"], &[]);
    let (found, _) = sources(&[scratch.0.join(name), scratch.0.clone()]);
    assert_eq!(found.len(), 1);
    assert_eq!(fs::read(&found[0].fs_path).unwrap(), b"x");
}

// Windows knows no modes.
#[cfg(unix)]
#[test]
fn folders_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    scratch.write("shut/a.log", b"x");
    let shut = scratch.0.join("shut");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&shut).is_ok() {
        eprintln!("skipped: this user may read everything");
    } else {
        check(&scratch, &["shut"], &[], &["shut: no permission"]);
        check(&scratch, &["shut/a.log"], &[], &["shut/a.log: no permission"]);
    }
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn servers_by_folder() {
    let check = |path: &str, server: Option<&str>| {
        assert_eq!(server_of(path).as_deref(), server, "{path}");
    };
    check("iis/EX01/W3SVC1/u_ex260302.log", Some("EX01"));
    check(r"D:\cases\ex02.fabrikam.example\w3svc22\u_ex.log", Some("ex02.fabrikam.example"));
    check("C:/inetpub/logs/LogFiles/W3SVC1/u_ex.log", None);
    check("EX01/inetpub/logs/logfiles/W3SVC1/u_ex.log", None);
    check("a.zip!EX01/W3SVC1/u_ex.log", Some("EX01"));
    check("EX09/a.zip!W3SVC2/u_ex.log", None);
    check("EX01/W3SVC1/march.zip!u_ex.log", Some("EX01"));
    check("EX01/W3SVC1.zip!u_ex.log", Some("EX01"));
    check("EX01/march.zip!u_ex.log", None);
    check("Backup/W3SVC1/u_ex.log", None);
    check("W3SVC1/u_ex.log", None);
    check("./W3SVC1/u_ex.log", None);
    check("../W3SVC1/u_ex.log", None);
    check("EX01/W3SVC1", None);
    check("EX01/W3SVC/u_ex.log", Some("EX01"));
    check("EX01/W3SVCx/u_ex.log", None);
    check("EX01/W3SVC99999999999/u_ex.log", Some("EX01"));
    check("EX01/u_ex.log", None);
    check("2026-03-02/W3SVC1/u_ex.log", None);
    check("Logs of March/W3SVC1/u_ex.log", None);
    check("old/W3SVC1/EX03/W3SVC2/sub/u_ex.log", Some("EX03"));
    check("Ünïcode/W3SVC1/x", None);
    check("wörter", None);
    check("", None);
}
