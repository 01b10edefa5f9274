//! A report and its rows into the same under pseudonyms. Every text of every field is gone through here.

use super::Pseudonyms;
use super::text::Words;
use stillin_parsers::exchange::is_known_command;
use stillin_reports::report::{
    Advice, ByDesign, Change, ChangeEvidence, Client, Clock, Coverage, Evidence, Finding, Path,
    Reject, Report, RequestRow, Rules, Seen, Source, Step,
};

/// Ends of names of files, which are no names of anybody.
const EXTENSIONS: &[&str] = &[
    "cfg", "config", "csv", "evtx", "gz", "json", "jsonl", "ldf", "ldif", "log", "txt", "xml",
    "zip", "zst",
];

impl Pseudonyms<'_> {
    /// The whole report.
    pub fn report(&self, report: Report) -> Report {
        // Without `..`: a field that is new has to be gone through as well, or this does not compile.
        let Report {
            schema,
            tool,
            rules,
            sources,
            coverage,
            changes,
            findings,
            excluded,
            undecided,
            by_design,
            clocks,
            plan,
            advice,
            notes,
            trend,
        } = report;
        let mut advice: Vec<Advice> =
            advice.into_iter().map(|advice| self.advice(advice)).collect();
        // In the order of clear names they would tell something of them.
        advice.sort_by(|a, b| {
            let key = |advice: &Advice| {
                (advice.server.clone(), advice.account.clone(), advice.class, advice.text.clone())
            };
            key(a).cmp(&key(b))
        });
        let mut notes: Vec<String> =
            notes.iter().map(|note| self.text(note, Words::About)).collect();
        notes.push(format!(
            "names of accounts and domains, SIDs, addresses and device ids are pseudonyms, the same in every report with \
             this key ({}); whose they are, a report without --pseudonymize tells",
            self.of_key()
        ));
        Report {
            schema,
            tool,
            rules: self.rules(rules),
            sources: sources.into_iter().map(|source| self.source(source)).collect(),
            coverage: coverage.into_iter().map(|coverage| self.coverage(coverage)).collect(),
            changes: changes.into_iter().map(|change| self.change(change)).collect(),
            findings: findings.into_iter().map(|finding| self.finding(finding)).collect(),
            excluded,
            undecided,
            by_design: by_design.into_iter().map(|by_design| self.by_design(by_design)).collect(),
            clocks: clocks.into_iter().map(|clock| self.clock(clock)).collect(),
            plan: plan.into_iter().map(|step| self.step(step)).collect(),
            advice,
            notes,
            trend,
        }
    }

    /// One classed request.
    pub fn row(&self, row: RequestRow) -> RequestRow {
        RequestRow {
            path: self.path(&row.path),
            server: self.server(&row.server),
            account: self.name(&row.account),
            name: self.name(&row.name),
            client_ip: self.address(&row.client_ip),
            device: self.device(&row.device),
            user_agent: self.theirs(&row.user_agent),
            command: self.command(&row.command),
            ..row
        }
    }

    /// What a request wanted. A word that we know is nobody's name; any other may be whatever the client sent.
    pub(super) fn command(&self, command: &str) -> String {
        match is_known_command(command) {
            true => command.to_owned(),
            false => self.theirs(command),
        }
    }

    fn rules(&self, rules: Rules) -> Rules {
        Rules {
            accounts: sorted(rules.accounts.iter().map(|name| self.name(name))),
            settings: rules.settings.iter().map(|text| self.text(text, Words::About)).collect(),
            pseudonyms: Some(self.of_key()),
            ..rules
        }
    }

    fn source(&self, source: Source) -> Source {
        let Source { path, server, columns, rejects, error, .. } = &source;
        let reject =
            |reject: &Reject| Reject { pos: reject.pos, reason: self.reason(&reject.reason) };
        Source {
            path: self.path(path),
            server: server.as_deref().map(|server| self.server(server)),
            columns: columns.as_ref().map(|names| names.iter().map(|n| self.theirs(n)).collect()),
            rejects: rejects.iter().map(reject).collect(),
            error: error.as_deref().map(|error| self.quoting(error)),
            ..source
        }
    }

    fn coverage(&self, coverage: Coverage) -> Coverage {
        Coverage { server: self.server(&coverage.server), ..coverage }
    }

    fn change(&self, change: Change) -> Change {
        let evidence = |evidence: &ChangeEvidence| ChangeEvidence {
            path: self.path(&evidence.path),
            pos: evidence.pos,
        };
        Change {
            account: self.name(&change.account),
            sid: change.sid.as_deref().map(|sid| self.sid(sid)),
            actor: change.actor.as_deref().map(|actor| self.name(actor)),
            evidence: change.evidence.iter().map(evidence).collect(),
            ..change
        }
    }

    fn finding(&self, finding: Finding) -> Finding {
        Finding {
            account: self.name(&finding.account),
            paths: finding.paths.into_iter().map(|path| self.path_of_finding(path)).collect(),
            ..finding
        }
    }

    fn path_of_finding(&self, path: Path) -> Path {
        Path {
            server: self.server(&path.server),
            name: self.name(&path.name),
            clients: self.clients(&path.clients),
            why: path.why.iter().map(|why| self.text(why, Words::Ours)).collect(),
            evidence: self.evidence(&path.evidence),
            ..path
        }
    }

    fn by_design(&self, by_design: ByDesign) -> ByDesign {
        ByDesign {
            account: self.name(&by_design.account),
            sid: by_design.sid.as_deref().map(|sid| self.sid(sid)),
            paths: by_design.paths.into_iter().map(|seen| self.seen(seen)).collect(),
            why: by_design.why.iter().map(|why| self.text(why, Words::Ours)).collect(),
            ..by_design
        }
    }

    fn seen(&self, seen: Seen) -> Seen {
        Seen {
            server: self.server(&seen.server),
            name: self.name(&seen.name),
            clients: self.clients(&seen.clients),
            evidence: self.evidence(&seen.evidence),
            ..seen
        }
    }

    fn clock(&self, clock: Clock) -> Clock {
        Clock {
            server: self.server(&clock.server),
            controller: self.server(&clock.controller),
            ..clock
        }
    }

    fn step(&self, step: Step) -> Step {
        Step {
            server: self.server(&step.server),
            accounts: sorted(step.accounts.iter().map(|name| self.name(name))),
            ..step
        }
    }

    fn advice(&self, advice: Advice) -> Advice {
        Advice {
            server: self.server(&advice.server),
            account: self.name(&advice.account),
            text: self.text(&advice.text, Words::Ours),
            ..advice
        }
    }

    fn clients(&self, clients: &[Client]) -> Vec<Client> {
        sorted(clients.iter().map(|client| Client {
            device: client.device.as_deref().map(|device| self.device(device)),
            user_agent: client.user_agent.as_deref().map(|agent| self.theirs(agent)),
            ip: client.ip.as_deref().map(|address| self.address(address)),
        }))
    }

    fn evidence(&self, evidence: &[Evidence]) -> Vec<Evidence> {
        let place = |place: &Evidence| Evidence { path: self.path(&place.path), line: place.line };
        evidence.iter().map(place).collect()
    }

    /// A server stays, but for its domain.
    pub(super) fn server(&self, server: &str) -> String {
        match server.split_once('.') {
            Some((host, domain)) if self.domains.contains(&domain.to_lowercase()) => {
                format!("{host}.{}", self.domain(domain))
            }
            _ => server.to_owned(),
        }
    }

    /// The path of a source: whoever has the report in clear finds it by its place in the list.
    pub(super) fn path(&self, path: &str) -> String {
        let stem = path.rsplit_once('.').filter(|(_, end)| {
            EXTENSIONS.iter().any(|extension| end.eq_ignore_ascii_case(extension))
        });
        match stem {
            Some((stem, extension)) => format!("{}.{extension}", self.theirs(stem)),
            None => self.theirs(path),
        }
    }

    fn theirs(&self, text: &str) -> String {
        if let Some(known) = self.texts.borrow().get(text) {
            return known.clone();
        }
        let freed = self.text(text, Words::Theirs);
        self.texts.borrow_mut().insert(text.to_owned(), freed.clone());
        freed
    }

    /// Why something was not understood. What that quotes of a source, nobody knows: it is replaced between backticks, and
    /// left out where a parser says what it met.
    fn reason(&self, text: &str) -> String {
        const LEFT_OUT: &str = " (the rest may quote the source)";
        let met = ["XML:", "JSON", "the header is "];
        let met = met.into_iter().filter_map(|word| Some(text.find(word)? + word.len())).min();
        match met {
            Some(end) => self.quoting(&text[..end]) + LEFT_OUT,
            None => self.quoting(text),
        }
    }

    fn quoting(&self, text: &str) -> String {
        let about = |text: &str| self.text(text, Words::About);
        // To the last one, for what is quoted may have some, too.
        match (text.find('`'), text.rfind('`')) {
            (Some(first), Some(last)) if first < last => {
                let quoted = self.token("text", &text[first + 1..last]);
                format!("{}`{quoted}`{}", about(&text[..first]), about(&text[last + 1..]))
            }
            _ => about(text),
        }
    }
}

fn sorted<T: Ord>(list: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = list.collect();
    list.sort();
    list
}
