//! A plan to an Ansible playbook.

use std::fmt::Write;

use super::powershell::literal;
use super::script::{NONE, NOTHING, ascii, head, reason, steps};
use crate::Output;
use crate::plan::Plan;
use crate::report::Step;

const USAGE: &str = "\
#
# ansible-playbook -i INVENTORY plan.yml --check   shows what would be done
# ansible-playbook -i INVENTORY plan.yml
---
";

/// The playbook: one play for each server, so that they come one after the other and the first failure is the last.
pub fn script(plan: &Plan) -> String {
    let mut out = String::new();
    for line in head(plan, Output::Ansible) {
        _ = writeln!(out, "# {}", ascii(&line));
    }
    let steps = steps(plan, Output::Ansible);
    match steps.as_slice() {
        [] if plan.plan.is_empty() => out += &message("debug", NOTHING),
        [] => out += &message("fail", NONE),
        steps => {
            out += USAGE;
            out += &inventory(steps);
            steps.chunk_by(|a, b| a.server == b.server).for_each(|steps| out += &play(steps));
        }
    }
    out
}

/// A play that does nothing but say so.
fn message(module: &str, text: &str) -> String {
    format!(
        "---\n- name: The plan\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n    \
         - name: The plan\n      ansible.builtin.{module}:\n        msg: {}\n",
        scalar(text)
    )
}

/// Ansible passes over a server that its inventory does not have, and succeeds: so that is asked first.
fn inventory(steps: &[&Step]) -> String {
    let mut out = "- name: Every server of the plan is in the inventory\n  hosts: localhost\n  connection: local\n  \
                   gather_facts: false\n  tasks:\n    - name: The inventory has it\n      ansible.builtin.assert:\n        \
                   that: item in groups['all']\n        fail_msg: \"the inventory has no {{ item }}: name the server \
                   there as the plan does\"\n      loop:\n"
        .to_owned();
    for steps in steps.chunk_by(|a, b| a.server == b.server) {
        steps
            .first()
            .into_iter()
            .for_each(|step| _ = writeln!(out, "        - {}", scalar(&step.server)));
    }
    out
}

/// What is done on one server.
/// The module makes a pool that is not there, and starts one that was stopped, so both are asked first.
fn play(steps: &[&Step]) -> String {
    let Some(first) = steps.first() else { return String::new() };
    let mut out = format!(
        "\n- name: Recycle on one server\n  hosts: {}\n  serial: 1\n  any_errors_fatal: true\n  gather_facts: false\n  \
         tasks:\n",
        scalar(&first.server)
    );
    for step in steps {
        let n = step.step;
        let says = format!("{} on {}: {}", step.pool, step.server, reason(step));
        let asks = format!(
            "Import-Module WebAdministration; (Get-WebAppPoolState -Name {}).Value",
            literal(&step.pool)
        );
        _ = write!(
            out,
            "    - name: What step {n} is for\n      ansible.builtin.debug:\n        msg: {}\n    \
             - name: Whether the pool of step {n} is there and runs\n      ansible.windows.win_shell: {}\n      \
             register: pool\n      changed_when: false\n      check_mode: false\n      \
             failed_when: pool.stdout | default('') | trim != 'Started'\n    \
             - name: Step {n}\n      community.windows.win_iis_webapppool:\n        name: {}\n        state: restarted\n",
            unsafe_scalar(&says),
            scalar(&asks),
            scalar(&step.pool),
        );
    }
    out
}

/// Text as a scalar that YAML reads back as it was.
pub fn scalar(text: &str) -> String {
    let escape = |c: char| match (c, u32::from(c)) {
        ('"' | '\\', _) => format!("\\{c}"),
        (' '..='~', _) => c.to_string(),
        (c, _) if c.is_alphanumeric() => c.to_string(),
        (_, n @ ..=0xff) => format!("\\x{n:02x}"),
        (_, n @ ..=0xffff) => format!("\\u{n:04x}"),
        (_, n) => format!("\\U{n:08x}"),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// The same, which Ansible takes for no template whatever is in it.
pub fn unsafe_scalar(text: &str) -> String {
    format!("!unsafe {}", scalar(text))
}
