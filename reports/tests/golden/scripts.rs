//! The scripts of a plan: golden files, and hostile text in every field. What a script says is text, so each is read
//! back as its language reads it.

use proptest::prelude::*;
use saphyr_parser::{Event, Parser as Yaml, Tag};
use stillin_reports::plan::{Plan, ansible, appcmd, can_stand, left_out, powershell};
use stillin_reports::report::Step;
use stillin_reports::timeline::Timelines;
use stillin_reports::{Output, Style, write};
use tree_sitter::{Node, Parser as TreeSitter, Tree};

use crate::golden;
use crate::plan::two_steps;
use crate::story::{self, HOSTILE};

const SCRIPTS: [(Output, &str); 3] =
    [(Output::PowerShell, "ps1"), (Output::Appcmd, "cmd"), (Output::Ansible, "yml")];

/// Text that means something to one of the languages, beside [`HOSTILE`].
const NASTY: &[&str] = &[
    "' ; Remove-Item C:\\ ; '",
    "\u{2018}; calc \u{2019} \u{201a} \u{201b} \u{201c}; calc \u{201d}\u{201e}",
    "$(calc) ${calc} $env:windir @calc @{a=1} `calc` `' `n",
    "#> calc <# \r\ncalc\n\ncalc\u{85}calc\u{2028}calc",
    "\" & calc & \" | calc > x < y ^& calc ^",
    "%COMPUTERNAME% %~ %~dp0 %% !windir! /? :failed",
    "{{ lookup('pipe', 'calc') }} {% calc %} {# calc #}",
    "- x: y\n  hosts: all # &a *a !!python/object:os.system",
    "\0\u{1}\u{1b}[2J\u{7f}\u{9f}\u{feff}\u{202e}\u{fffe}\u{1f600}",
    "'@\ncalc\n@'",
    "Zoë \u{3b1} 日本",
];

fn written(plan: &Plan, output: Output) -> String {
    let mut out = Vec::new();
    write(&story::empty(), plan, &Timelines::default(), output, Style::default(), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// The plan with that text in every field that can hold any.
fn with(text: &str) -> Plan {
    let mut plan = Plan::of(&two_steps());
    let bad = |field: &mut String| text.clone_into(field);
    bad(&mut plan.tool.version);
    for finding in &mut plan.findings {
        [&mut finding.id, &mut finding.account].into_iter().for_each(bad);
    }
    for step in &mut plan.plan {
        step.accounts.iter_mut().chain(&mut step.why).for_each(bad);
    }
    plan
}

/// The same, and servers and pools as well.
fn with_names(text: &str) -> Plan {
    let mut plan = with(text);
    for step in &mut plan.plan {
        (step.server, step.pool) = (text.to_owned(), text.to_owned());
    }
    plan
}

#[test]
fn golden_files() {
    let mut hostile = Plan::of(&two_steps());
    hostile.findings[0].account = format!("{HOSTILE} {}", NASTY.join(" "));
    hostile.plan[0].accounts = vec![hostile.findings[0].account.clone()];
    hostile.plan[1].server = HOSTILE.into();
    for (output, extension) in SCRIPTS {
        let check = |name: &str, plan: &Plan| {
            golden(&format!("{name}.{extension}"), written(plan, output).as_bytes());
        };
        check("plan", &Plan::of(&two_steps()));
        check("plan-hostile", &hostile);
        check("plan-empty", &Plan::of(&story::empty()));
        check("plan-of-no-name", &with_names(HOSTILE));
    }
}

#[test]
fn what_is_no_name_is_left_out_and_counted() {
    let step = |server: &str, pool: &str| {
        let (server, pool) = (server.into(), pool.into());
        Step { server, pool, ..two_steps().plan.remove(0) }
    };
    let check = |server: &str, pool: &str, expect: [bool; 3]| {
        let got = SCRIPTS.map(|(output, _)| can_stand(&step(server, pool), output));
        assert_eq!(got, expect, "{server:?} {pool:?}");
    };
    check("EX01", "MSExchangeSyncAppPool", [true; 3]);
    check("ex-01_b.fabrikam.example", ".NET v4.5", [false; 3]);
    check("ex-01_b.fabrikam.example", "Pool 4.5_x-y", [true; 3]);
    check("192.0.2.10", "MSExchangeSyncAppPool", [true, false, true]);
    check("2001:db8::10", "MSExchangeSyncAppPool", [false; 3]);
    for name in
        ["", " ", "-EX01", "EX01.", "EX 01", "ÉX01", "EX01\n", "EX01;", "~EX", "*", "EX01:EX02"]
    {
        check(name, "MSExchangeSyncAppPool", [false; 3]);
    }
    for pool in ["", " a", "a ", "-a", "a\"", "a'", "a%b", "a\u{2019}", "a\0", "a/b", "a&b"] {
        check("EX01", pool, [false; 3]);
    }
    check(&"a".repeat(253), &"p".repeat(64), [true; 3]);
    check(&"a".repeat(254), "a", [false; 3]);
    check("a", &"p".repeat(65), [false; 3]);

    let mut plan = Plan::of(&two_steps());
    assert_eq!(left_out(&plan, Output::Appcmd), None);
    plan.plan[1].server = HOSTILE.into();
    let said = left_out(&plan, Output::Appcmd).unwrap();
    assert!(said.starts_with("1 step is left out") && said.ends_with(": 2"), "{said}");
    for (output, _) in SCRIPTS {
        assert!(written(&plan, output).contains(&said), "{}", written(&plan, output));
    }
    assert_eq!(left_out(&plan, Output::Plan), None);
}

fn tree(script: &str) -> Tree {
    let mut parser = TreeSitter::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(script, None).unwrap();
    assert!(!tree.root_node().has_error(), "{}\n{script}", tree.root_node().to_sexp());
    tree
}

/// The nodes of that kind, in order.
fn nodes<'t>(node: Node<'t>, kind: &str, found: &mut Vec<Node<'t>>) {
    found.extend(Some(node).filter(|node| node.kind() == kind));
    let mut cursor = node.walk();
    node.children(&mut cursor).for_each(|child| nodes(child, kind, found));
}

fn texts(script: &str, kind: &str) -> Vec<String> {
    let tree = tree(script);
    let mut found = Vec::new();
    nodes(tree.root_node(), kind, &mut found);
    found.iter().map(|node| script[node.byte_range()].to_owned()).collect()
}

/// Whatever stands in a plan, the script has the same structure, and runs the same commands.
fn is_the_same_powershell(hostile: &Plan) {
    let plain = written(&with("x"), Output::PowerShell);
    let script = written(hostile, Output::PowerShell);
    assert!(script.bytes().all(|b| matches!(b, b'\n' | b' '..=b'~')), "{script}");
    let structure = |script: &str| tree(script).root_node().to_sexp();
    assert_eq!(structure(&script), structure(&plain), "{script}");
    for kind in ["command_name", "command_name_expr", "variable", "invokation_expression"] {
        assert_eq!(texts(&script, kind), texts(&plain, kind), "{kind}");
    }
    let end = |script: &str| script.split_once("#Requires").unwrap().1.lines().count();
    assert_eq!(end(&script), end(&plain));
}

#[test]
fn powershell_runs_what_was_meant() {
    let script = written(&Plan::of(&two_steps()), Output::PowerShell);
    let mut commands = texts(&script, "command_name");
    commands.sort();
    commands.dedup();
    let expect = [
        "ForEach-Object",
        "Get-Pool",
        "Get-Worker",
        "Invoke-Appcmd",
        "Invoke-Command",
        "Select-Object",
        "Set-StrictMode",
        "Start-Sleep",
        "Where-Object",
    ];
    assert_eq!(commands, expect);
    for empty in [Plan::of(&story::empty()), with_names(HOSTILE)] {
        let script = written(&empty, Output::PowerShell);
        let commands = texts(&script, "command_name");
        assert_eq!(commands.len(), usize::from(empty.plan.is_empty()), "{script}");
    }
    NASTY.iter().chain([&HOSTILE]).for_each(|text| is_the_same_powershell(&with(text)));
}

/// A literal as PowerShell reads it.
fn literal_back(literal: &str) -> String {
    let script = format!("$x = {literal}\n");
    let literals = texts(&script, "verbatim_string_characters");
    assert_eq!(literals, [literal], "{script}");
    let inner = literal.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap();
    assert!(!inner.replace("''", "").contains('\''), "{literal}");
    inner.replace("''", "'")
}

/// Line by line what a `.cmd` of a plan may hold.
fn is_harmless_cmd(script: &str) {
    assert!(script.ends_with("\r\n"));
    for line in script.split("\r\n") {
        assert!(line.bytes().all(|b| matches!(b, b' '..=b'~')), "{line:?}");
        let text = ["@rem ", "rem ", "echo "].iter().find_map(|word| line.strip_prefix(word));
        let known = text.filter(|text| !text.contains("%COMPUTERNAME%"));
        if let Some(text) = known {
            let is_odd = |c: char| !c.is_ascii_alphanumeric() && !" ._-@\\/,;:".contains(c);
            assert!(!text.contains(is_odd), "{line:?}");
        }
        let command = line.strip_prefix("%windir%\\system32\\inetsrv\\appcmd.exe ");
        let is_fixed = [
            "@echo off",
            "setlocal EnableExtensions DisableDelayedExpansion",
            "set \"ran=\"",
            "set \"ran=1\"",
            "if errorlevel 1 goto failed",
            "if not errorlevel 0 goto failed",
            "if defined ran exit /b 0",
            "echo No step of this plan is for %COMPUTERNAME%: nothing was done.",
            "exit /b 0",
            "exit /b 1",
            ":failed",
            "",
        ]
        .contains(&line);
        let is_name =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let guard = line.strip_prefix("if /i not \"%COMPUTERNAME%\"==\"").map(|rest| {
            let (host, label) = rest.split_once("\" goto after").unwrap();
            is_name(host) && label.bytes().all(|b| b.is_ascii_digit())
        });
        let label = line.strip_prefix(":after").map(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let is_label = guard.or(label).unwrap_or_default();
        assert!(is_fixed || is_label || text.is_some() || command.is_some(), "{line:?}");
        if let Some(command) = command {
            let pool = ["list wp /apppool.name:\"", "recycle apppool /apppool.name:\""]
                .iter()
                .find_map(|start| command.strip_prefix(start)?.strip_suffix('"'));
            let pool = pool.unwrap_or_else(|| panic!("{line:?}"));
            let is_odd = |c: char| !c.is_ascii_alphanumeric() && !" ._-".contains(c);
            assert!(!pool.is_empty() && !pool.contains(is_odd), "{line:?}");
        }
    }
}

/// A computer knows itself by fifteen characters, whatever the log calls it.
#[test]
fn cmd_asks_for_the_name_of_the_computer() {
    let mut plan = Plan::of(&two_steps());
    plan.plan[0].server = "EXCHANGE-FRONTEND-01.fabrikam.example".into();
    let script = written(&plan, Output::Appcmd);
    assert!(
        script.contains("if /i not \"%COMPUTERNAME%\"==\"EXCHANGE-FRONTE\" goto after1\r\n"),
        "{script}"
    );
    assert!(script.contains("if /i not \"%COMPUTERNAME%\"==\"EX02\" goto after2\r\n"), "{script}");
}

#[test]
fn cmd_holds_only_names() {
    for text in NASTY.iter().chain([&HOSTILE]) {
        for plan in [with(text), with_names(text)] {
            is_harmless_cmd(&written(&plan, Output::Appcmd));
        }
    }
}

/// Scalars with their tags, in order, as a reader of YAML has them.
fn scalars(text: &str) -> Vec<(String, Option<String>)> {
    let mut scalars = Vec::new();
    for event in Yaml::new_from_str(text) {
        if let (Event::Scalar(value, _, _, tag), _) =
            event.unwrap_or_else(|e| panic!("{e}\n{text}"))
        {
            let tag =
                tag.map(|tag: std::borrow::Cow<'_, Tag>| format!("{}{}", tag.handle, tag.suffix));
            scalars.push((value.into_owned(), tag));
        }
    }
    scalars
}

/// The playbook has the same scalars whatever stands in the plan, but for those that are marked as no templates.
#[test]
fn ansible_takes_text_for_text() {
    let plain = scalars(&written(&with("x"), Output::Ansible));
    let is_marked = |(_, tag): &&(String, Option<String>)| tag.as_deref() == Some("!unsafe");
    assert_eq!(plain.iter().filter(is_marked).count(), 2);
    for text in NASTY.iter().chain([&HOSTILE]) {
        let hostile = scalars(&written(&with(text), Output::Ansible));
        assert_eq!(hostile.len(), plain.len());
        for (a, b) in hostile.iter().zip(&plain) {
            assert!(a == b || (a.1 == b.1 && is_marked(&a)), "{a:?} {b:?}");
        }
        scalars(&written(&with_names(text), Output::Ansible));
    }
}

/// The modules of a playbook, and nothing else that does something.
#[test]
fn ansible_runs_what_was_meant() {
    let scalars = scalars(&written(&Plan::of(&two_steps()), Output::Ansible));
    let is_module =
        |(text, _): &&(String, Option<String>)| text.split('.').count() == 3 && !text.contains(' ');
    let modules: Vec<&str> =
        scalars.iter().filter(is_module).map(|(text, _)| text.as_str()).collect();
    let step = [
        "ansible.builtin.debug",
        "ansible.windows.win_shell",
        "community.windows.win_iis_webapppool",
    ];
    assert_eq!(modules, [&["ansible.builtin.assert"][..], &step, &step].concat());
    let has = |text: &str| scalars.iter().filter(|(scalar, _)| scalar == text).count();
    assert_eq!((has("hosts"), has("EX01"), has("EX02"), has("restarted")), (3, 2, 2, 2));
}

proptest! {
    /// Any text in any field: what PowerShell, cmd and Ansible read is what was meant.
    #[test]
    fn any_text_is_text(text in any_text()) {
        let shown: String = text.chars().map(|c| match c {
            ' '..='~' => c.to_string(),
            c => format!("\\u{{{:x}}}", u32::from(c)),
        }).collect();
        prop_assert_eq!(literal_back(&powershell::literal(&text)), shown);
        let yaml = format!("- {}\n- {}\n", ansible::scalar(&text), ansible::unsafe_scalar(&text));
        let expect = [(text.clone(), None), (text.clone(), Some("!unsafe".to_owned()))];
        prop_assert_eq!(scalars(&yaml), expect);
        prop_assert!(ansible::scalar(&text).chars().all(|c| c.is_alphanumeric() || matches!(c, ' '..='~')));
        let harmless = appcmd::harmless(&text);
        prop_assert!(harmless.chars().all(|c| c.is_ascii_alphanumeric() || " ._-@\\/,;:".contains(c)));
        prop_assert_eq!(harmless.chars().count(), text.chars().count());
        is_the_same_powershell(&with(&text));
        for plan in [with(&text), with_names(&text)] {
            is_harmless_cmd(&written(&plan, Output::Appcmd));
            scalars(&written(&plan, Output::Ansible));
            tree(&written(&plan, Output::PowerShell));
        }
    }
}

/// Characters of all alphabets, and pieces that mean something.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(NASTY.to_vec()).prop_map(str::to_owned),
        prop::sample::select(vec!["'", "\"", "`", "$(", "{{", "%", "\u{2019}", "\r\n", ";", "&"])
            .prop_map(str::to_owned),
        "[A-Za-z0-9._-]{1,20}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
