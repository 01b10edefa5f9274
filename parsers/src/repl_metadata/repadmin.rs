//! The text of `repadmin /showobjmeta`, of several objects and domain controllers in a row, to rows
//! of metadata. Whose metadata it is stands only in the command, so in the file only if the prompt
//! was recorded, or if a line above holds the DN.

use super::{Entry, Object, of_no_interest, tell};
use crate::directory::metadata::{self, Written};
use crate::directory::names;
use crate::event::{Fact, Identity, Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::time::{Clock, LocalTime};
use std::collections::BTreeSet;

/// Is it the output of repadmin? It has the banner, or the header and rule of its table.
pub fn sniff(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().take(400);
    lines.any(|line| {
        let line = line.trim_start();
        (line.starts_with("Loc.USN") && line.trim_end().ends_with("Attribute"))
            || line.to_ascii_lowercase().starts_with("repadmin: running command /showobjmeta")
    })
}

/// Which table the lines belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// None: banners, prompts.
    Outside,
    /// Attributes.
    Attributes,
    /// Link values (members of groups): of no interest.
    Links,
}

/// Facts of the whole text.
pub fn facts(bytes: &[u8], local: &LocalTime, sink: &mut Sink<'_>) -> Tally {
    let clock = Clock::new(*local);
    let mut tally = Tally::default();
    let mut object = Object::default();
    // Domain controllers asked about the object; one that is asked again is asked about another.
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut part = Part::Outside;
    // A table was begun since the last banner; the value of a link follows.
    let (mut headed, mut link_value) = (false, false);

    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let pos = Pos::Line(number);
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if std::mem::take(&mut link_value) {
            continue;
        }
        let header = text.starts_with("Loc.USN");
        let named = object_of(text);
        let controller = banner(text);
        // A second table without a banner belongs to nobody knows whom.
        let unannounced = header && headed;
        if named.is_some() || controller.is_some() || unannounced {
            tell(&object, &mut tally, sink);
            object = Object { account: object.account, ..Object::default() };
            (part, headed) = (Part::Outside, false);
        }
        if let Some(named) = named {
            object.account = named;
            asked.clear();
            continue;
        }
        if unannounced || controller.is_some_and(|controller| !asked.insert(controller)) {
            object.account = Identity::default();
            asked.clear();
        }
        if header || text.starts_with("===") {
            part = if header || part != Part::Links { Part::Attributes } else { part };
            headed |= header;
        } else if text.starts_with("Type") && text.contains("Attribute") {
            part = Part::Links;
        } else if text.contains("failed with status") {
            let text: String = text.chars().take(120).collect();
            object.rejects.push(Reject { pos, reason: Reason::Format(text) });
        } else if part == Part::Links {
            // Each begins with its state; the DN of the value is on a line of its own.
            link_value =
                ["PRESENT", "ABSENT", "LEGACY"].iter().any(|state| text.starts_with(state));
            if link_value {
                of_no_interest(&mut tally);
            }
        } else if part == Part::Attributes && !text.is_empty() && !is_count(text) {
            match row(text, pos, &clock) {
                Ok(Some(row)) => object.entries.push(row),
                Ok(None) => of_no_interest(&mut tally),
                Err(reason) => object.rejects.push(Reject { pos, reason }),
            }
        }
    }
    tell(&object, &mut tally, sink);
    tally
}

/// `29 entries.`
fn is_count(text: &str) -> bool {
    text.split_once(' ')
        .is_some_and(|(n, word)| n.parse::<u64>().is_ok() && word.starts_with("entr"))
}

/// The domain controller of `Repadmin: running command /showobjmeta against full DC
/// dc1.fabrikam.example`.
fn banner(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let (_, rest) = text.split_once("running command /showobjmeta")?;
    Some(rest.split_whitespace().next_back().unwrap_or_default().to_owned())
}

/// The object that a prompt with the command names, or a line that is nothing but a DN.
fn object_of(text: &str) -> Option<Identity> {
    let lower = text.to_ascii_lowercase();
    if lower.contains("running command") {
        return None;
    }
    let command = ["/showobjmeta", "/showmeta"].iter().find_map(|command| {
        let at = lower.find(command)?;
        text.get(at + command.len()..)
    });
    let dn = match command {
        Some(arguments) => argument(arguments),
        None => bare(text),
    };
    let account = identity(dn.trim());
    // A command for an object we cannot read ends what was said of the one before.
    if command.is_some() { Some(account.unwrap_or_default()) } else { account }
}

/// The DN among the arguments: in quotes, or from its first `=` part to the end.
fn argument(arguments: &str) -> &str {
    let quoted = arguments.split('"').skip(1).step_by(2).find(|quoted| quoted.contains('='));
    let open = || {
        let equals = arguments.find('=')?;
        let begin = arguments.get(..equals)?.rfind(char::is_whitespace)? + 1;
        arguments.get(begin..)
    };
    quoted.or_else(open).unwrap_or_default()
}

/// A line such as `CN=Ada,OU=Staff,DC=fabrikam,DC=example`, `Object: CN=…` or `# "CN=…"`.
fn bare(text: &str) -> &str {
    let text = text.trim_start_matches(['#', '-', ' ']);
    let word =
        text.split_once(": ").filter(|(word, _)| word.bytes().all(|b| b.is_ascii_alphabetic()));
    word.map_or(text, |(_, dn)| dn).trim().trim_matches('"')
}

fn identity(dn: &str) -> Option<Identity> {
    // A console writes `?` for letters that it lacks: two people could have that name.
    if dn.contains(['?', '\u{fffd}']) {
        return None;
    }
    let inner = dn.strip_prefix('<').and_then(|dn| dn.strip_suffix('>')).unwrap_or(dn);
    let (key, value) = inner.split_once('=')?;
    let mut account = Identity::default();
    if key.eq_ignore_ascii_case("guid") {
        account.guid = Some(names::guid(value.as_bytes()).filter(|_| value.len() >= 36)?);
    } else if key.eq_ignore_ascii_case("sid") {
        account.sid = Some(names::sid(value.as_bytes())?);
    } else if names::is_dn(dn) {
        account.domain = names::dns_domain(dn);
        account.distinguished_name = Some(dn.to_owned());
    } else {
        return None;
    }
    Some(account)
}

/// `  8201 Default-First-Site-Name\DC1  8201 2018-04-09 23:11:54    1 userAccountControl`, read
/// from its end, because the name of the site or of the server may hold blanks. The time is that of
/// the machine that ran repadmin. Nothing is what tells of no account.
fn row(text: &str, pos: Pos, clock: &Clock) -> Result<Option<Entry>, Reason> {
    let mut words = text.split_whitespace().rev();
    let mut next = || words.next().ok_or(Reason::Truncated);
    let (attribute, version, time, day, org_usn) = (next()?, next()?, next()?, next()?, next()?);
    let loc_usn = words.next_back().ok_or(Reason::Truncated)?;
    if words.next().is_none() {
        return Err(Reason::Missing("Originating DSA"));
    }
    let number = |text: &str, column| text.parse::<u64>().map_err(|_| Reason::BadNumber(column));
    number(loc_usn, "Loc.USN")?;
    number(org_usn, "Org.USN")?;
    let version = number(version, "Ver")?;
    if !metadata::is_of_interest(attribute) {
        return Ok(None);
    }
    let time = format!("{day} {time}");
    let when = clock.when(&time)?.ok_or(Reason::BadTime(time))?;
    let written = Written { pos, attribute: attribute.to_owned(), version, when };
    // Whose it is, is known when the block is over.
    let told = match attribute.eq_ignore_ascii_case("accountExpires") && version > 1 {
        true => vec![Fact::AccountExpiresSet { pos, time: when.0, account: Identity::default() }],
        false => Vec::new(),
    };
    Ok(Some(Entry { written, told }))
}
