//! Commands by their words.

use super::*;

fn command(via: &str, server: &str, pool: &str) -> Vec<String> {
    let (program, args) = action(Action::Recycle, pool);
    Via::parse(via).unwrap().command(server, program, &args).unwrap()
}

#[test]
fn a_template_is_split_before_anything_is_put_in() {
    let check = |template: &str, expect: &[&str]| {
        assert_eq!(command(&format!("command:{template}"), "EX 01", "a b"), expect, "{template}");
    };
    let args = ["recycle", "apppool", "/apppool.name:a b"];
    check(
        "ssh admin@{server} appcmd {args}",
        &[&["ssh", "admin@EX 01", "appcmd"], &args[..]].concat(),
    );
    check("  ssh\t{server} {program} {args} ", &[&["ssh", "EX 01", "appcmd"], &args[..]].concat());
    check("x {args} {server}{server}", &[&["x"], &args[..], &["EX 01EX 01"]].concat());
    check(
        r#""C:\Program Files\x.exe" 'a "b' c"d e"f {server} {args}"#,
        &[&[r"C:\Program Files\x.exe", "a \"b", "cd ef", "EX 01"], &args[..]].concat(),
    );
    check("x '' {server} {args}", &[&["x", "", "EX 01"], &args[..]].concat());
}

/// What was put in is not looked at again.
#[test]
fn names_are_no_places() {
    let words = command("command:x {server} {args}", "{args}", "{server}");
    assert_eq!(words, ["x", "{args}", "recycle", "apppool", "/apppool.name:{server}"]);
    let words = command("command:x {program}{server} {args}", "{program}", "P");
    assert_eq!(words[1], "appcmd{program}");
}

#[test]
fn templates_that_are_refused() {
    let check = |via: &str, expect: &str| {
        let error = Via::parse(via).unwrap_err();
        assert!(error.contains(expect), "{via}: {error}");
    };
    check("", "say local");
    check("remote", "say local");
    check("command:", "is empty");
    check("command:ssh EX01 appcmd {args}", "has no {server}");
    check("command:ssh {server} appcmd", "has no {args}");
    check("command:ssh {server} 'appcmd {args}'", "a word of its own");
    check("command:ssh {server} {args} {pool}", "{pool} is no place");
    check("command:{server} {args}", "the first word");
    check("command:ssh 'x {server} {args}", "not closed");
}

#[test]
fn powershell_gets_names_as_literals() {
    let script = script("EX01", Program::Appcmd, &action(Action::Recycle, "A'b\u{2019}; c").1);
    assert_eq!(
        script,
        "$ErrorActionPreference = 'Stop'; $ran = Invoke-Command -ComputerName 'EX01' -ArgumentList \
         'recycle','apppool','/apppool.name:A''b\u{2019}\u{2019}; c' -ScriptBlock { $lines = & ($env:windir + \
         '\\system32\\inetsrv\\appcmd.exe') $args 2>&1 | ForEach-Object { [string]$_ }; @{ lines = @($lines); status = \
         $LASTEXITCODE } }; $ran.lines; if ($null -eq $ran.status) { exit 1 }; exit $ran.status"
    );
    let iisreset = super::script("EX01", Program::Iisreset, &[]);
    assert!(iisreset.contains(
        "-ComputerName 'EX01' -ScriptBlock { $lines = & ($env:windir + '\\system32\\iisreset.exe')"
    ));
    assert!(!script.contains('"') && !iisreset.contains('"'));
}

#[test]
fn what_cannot_go_that_way() {
    let check = |via: &str, server: &str, pool: &str, action: Action, expect: Option<&str>| {
        let refusal = Via::parse(via).unwrap().refuses(server, pool, action, "EX01");
        let fits = match (expect, &refusal) {
            (Some(expect), Some(refusal)) => refusal.contains(expect),
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "{via} {server} {pool}: {refusal:?}");
    };
    let ssh = "command:ssh {server} appcmd {args}";
    check("local", "EX01", "P", Action::Recycle, None);
    check("local", "ex01.fabrikam.example", "P", Action::Recycle, None);
    check(
        "local",
        "EX02",
        "P",
        Action::Recycle,
        Some("this computer is EX01, the step is for EX02"),
    );
    check("local", "192.0.2.7", "P", Action::Recycle, Some("this computer is EX01"));
    check("winrm", "EX02", "a b", Action::Iisreset, None);
    check(ssh, "EX02", "P", Action::Recycle, None);
    check(ssh, "EX02", "a b", Action::Recycle, Some("the blank"));
    check(ssh, "EX02", "", Action::Iisreset, Some("{program}"));
    check("command:ssh {server} {program} {args}", "EX02", "", Action::Iisreset, None);
}

/// The commands that a script of PowerShell runs. It has to parse.
fn commands(script: &str) -> Vec<String> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(script, None).unwrap();
    assert!(!tree.root_node().has_error(), "{}\n{script}", tree.root_node().to_sexp());
    let (mut commands, mut rest) = (Vec::new(), vec![tree.root_node()]);
    while let Some(node) = rest.pop() {
        if matches!(node.kind(), "command_name" | "command_name_expr") {
            commands.push(script[node.byte_range()].to_owned());
        }
        rest.extend((0..node.child_count()).filter_map(|index| node.child(index)));
    }
    commands.sort_unstable();
    commands.dedup();
    commands
}

#[test]
fn powershell_runs_the_same_whatever_the_names_are() {
    let plain = commands(&script("EX01", Program::Appcmd, &action(Action::Recycle, "P").1));
    assert!(plain.contains(&"Invoke-Command".to_owned()), "{plain:?}");
    for name in [
        "'; calc; '",
        "\u{2018}; calc \u{2019}",
        "\u{201a}calc\u{201b}",
        "$(calc)",
        "`calc`",
        "a\nb",
        "\" & calc",
    ] {
        let hostile = script(name, Program::Appcmd, &action(Action::Recycle, name).1);
        assert_eq!(commands(&hostile), plain, "{name}");
    }
}

#[test]
fn this_computer_is_one_of_one_domain() {
    let refuses = |server, host| {
        let why = Via::Local.refuses(server, "P", Action::Recycle, host);
        why.is_some_and(|why| why.contains(host) && why.contains(server))
    };
    for (server, host, expect) in [
        ("EX01", "EX01", false),
        ("EX01", "EX01.FABRIKAM.EXAMPLE", false),
        ("ex01.fabrikam.example", "EX01", false),
        ("ex01.fabrikam.example", "EX01.FABRIKAM.EXAMPLE", false),
        ("ex01.contoso.example", "EX01.FABRIKAM.EXAMPLE", true),
        ("EX02", "EX01", true),
    ] {
        assert_eq!(refuses(server, host), expect, "{server} {host}");
    }
}
