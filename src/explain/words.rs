//! A finding to what would have to be true otherwise, and to what is missing to be sure, in sentences
//! (DOMAIN.md 5.2, 7.2 and 7.4).

use crate::analyze::chain::Again;
use crate::correlate::Ground;
use crate::words;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use stillin_parsers::event::ChangeKind;
use stillin_reports::report::{Change, Coverage, Finding, Path, Report};
use stillin_reports::text;

fn span(seconds: i64) -> String {
    text::duration(seconds).replace(text::TIE, " ")
}

fn instant(time: &DateTime<Utc>) -> String {
    text::time(time).replace(text::TIE, " ")
}

fn change_of<'a>(report: &'a Report, finding: &Finding) -> Option<&'a Change> {
    report.changes.iter().find(|change| change.id == finding.change)
}

fn sets_password(finding: &Finding) -> bool {
    ChangeKind::from_word(finding.kind).is_some_and(ChangeKind::sets_password)
}

fn servers(finding: &Finding) -> BTreeSet<&str> {
    finding.paths.iter().map(|path| path.server.as_str()).collect()
}

fn has_class(finding: &Finding, class: &str) -> bool {
    finding.paths.iter().any(|path| path.class == class)
}

/// Whether the report says that of a path; a ground has one sentence.
fn says(path: &Path, ground: Ground) -> bool {
    path.why.iter().any(|why| why == words::of_ground(ground))
}

fn any_says(finding: &Finding, ground: Ground) -> bool {
    finding.paths.iter().any(|path| says(path, ground))
}

/// What would have to be true for the finding to be wrong, or for another reason.
pub fn otherwise(report: &Report, finding: &Finding) -> Vec<String> {
    let mut texts = Vec::new();
    texts.push(format!(
        "the clocks of {} ran ahead of the one that dated the change by {} or more: then all of it came before the \
         change",
        servers(finding).into_iter().collect::<Vec<_>>().join(", "),
        span(finding.exposure_seconds)
    ));
    match sets_password(finding) {
        true => texts.extend(of_password(finding)),
        false => texts.push(undone(finding).to_owned()),
    }
    texts.extend(of_identity(finding));
    texts.extend(of_mechanism(report, finding));
    texts
}

/// Of access that is perhaps not the account's, or was perhaps its right.
fn of_identity(finding: &Finding) -> Vec<String> {
    let grounds = [
        (
            Ground::SharedName,
            "the requests under a name that may be another account's are that one's",
        ),
        (
            Ground::UsersDisagree,
            "of the two logs that name different users for a request, the one that names somebody else is right",
        ),
        (
            Ground::OtherSid,
            "HttpProxy is right: the requests with another SID are those of another account under the name",
        ),
        (
            Ground::ClockBehind,
            "the clock of the server was not behind then by as much as its logons say: then it came before the change",
        ),
        (
            Ground::EnabledSoonAfter,
            "the account was enabled again a little before, by the clock of the server or another domain controller",
        ),
        (
            Ground::EnabledShortlyBefore,
            "the clock of the server was not ahead then by as much as its logons say: then the account was enabled again \
             before",
        ),
        (Ground::MaybeEnabled, "the source is right that says that the account was enabled again"),
        (
            Ground::TimesDisagree,
            "the source is right that puts the change later, or the account was enabled in between: then what came \
             before that was its right",
        ),
        (
            Ground::ClockAhead,
            "the clock of the server was ahead then by as much as its logons say: then it came before the change",
        ),
    ];
    let said = grounds.into_iter().filter(|(ground, _)| any_says(finding, *ground));
    said.map(|(_, text)| text.to_owned()).collect()
}

fn undone(finding: &Finding) -> &'static str {
    match finding.kind {
        "deleted" => {
            "the account was restored, or another one was made under its name, and no source tells of it"
        }
        "expired" => "the expiry was put off in between, and no source tells of it",
        _ => {
            "the account was enabled again in between, and no source tells of it: only the domain controller that \
             did it writes 4722"
        }
    }
}

fn of_password(finding: &Finding) -> Vec<String> {
    let mut texts = Vec::new();
    let has = |residual| finding.paths.iter().any(|path| path.residual == residual);
    if has("possible") || has("likely") {
        texts.push(
            "the client was given the new password: then what was served to it was its right, for whoever was told \
             may have typed it in at once"
                .to_owned(),
        );
    }
    if any_says(finding, Ground::RefusedAtLast) {
        texts.push(
            "the password was changed once more before the client was refused, and no source tells of it: then the \
             refusal says nothing of the password before"
                .to_owned(),
        );
    }
    if any_says(finding, Ground::NoLogon) {
        texts.push(
            "the Security log lacks the logon of the client (it was cleared, or an export left some out): then it may \
             have logged on with the new password"
                .to_owned(),
        );
    }
    if has_class(finding, "other_auth") || has_class(finding, "ambiguous") {
        texts.push(
            "a domain controller took the old password: over NTLM it does for 60 minutes after a change \
             (OldPasswordAllowedPeriod)"
                .to_owned(),
        );
    }
    texts
}

/// Of the access as it is, another reason.
fn of_mechanism(report: &Report, finding: &Finding) -> Vec<String> {
    let ttl = span(report.rules.ttl_seconds);
    let mut texts = Vec::new();
    let is_guessed = |path: &&Path| path.class == "cached_token" && !has_proxy(report, path);
    if finding.paths.iter().any(|path| is_guessed(&path)) {
        texts.push(
            "the client logs on with Kerberos, NTLM or OAuth, which IIS logs do not tell: then no cached token served \
             it, and no recycle ends it"
                .to_owned(),
        );
    }
    if has_class(finding, "unexplained") {
        texts.push(format!(
            "UserTokenTTL is 0 (tokens live until the worker ends) or longer than {ttl}; or a ticket, an open \
             connection, another spelling of the name or a server whose log is missing kept the access alive: then it \
             is explained, and no less access"
        ));
    }
    let is_unseen = |path: &&Path| {
        path.class == "ambiguous"
            && !says(path, Ground::SharedName)
            && !says(path, Ground::UsersDisagree)
            && !says(path, Ground::BegunBetween)
    };
    if finding.paths.iter().any(|path| is_unseen(&path)) {
        texts.push(format!(
            "what the logs do not show (a hole, a time before they begin, a pause of one to two times {ttl}) held \
             requests that kept the token in use, or none"
        ));
    }
    if has_class(finding, "within_slack") {
        texts.push(
            "the domain controller that was asked had not heard of the change yet, or clocks differ".to_owned(),
        );
    }
    if finding.paths.iter().any(|path| path.state == "expired" && path.class != "other_auth") {
        texts.push(format!(
            "UserTokenTTL is 0 or longer than {ttl}: then a token that was idle may still be alive"
        ));
    }
    texts
}

fn coverage<'a>(
    report: &'a Report,
    server: &'a str,
    kind: &'static str,
) -> impl Iterator<Item = &'a Coverage> {
    report.coverage.iter().filter(move |of| of.server == server && of.kind == kind)
}

fn has_proxy(report: &Report, path: &Path) -> bool {
    coverage(report, &path.server, "http-proxy")
        .any(|of| of.protocol.is_none_or(|protocol| protocol == path.protocol))
}

/// What to collect, or to ask, to be sure.
pub fn missing(report: &Report, finding: &Finding, again: Option<&Again>) -> Vec<String> {
    let mut texts = Vec::new();
    for server in servers(finding) {
        let paths: Vec<&Path> = finding.paths.iter().filter(|p| p.server == server).collect();
        texts.extend(of_iis_log(report, finding, server, &paths));
        let protocols = paths.iter().filter(|path| !has_proxy(report, path));
        let protocols: BTreeSet<&str> = protocols.map(|path| path.protocol).collect();
        if !protocols.is_empty() {
            let protocols = protocols.into_iter().collect::<Vec<_>>().join(", ");
            texts.push(format!(
                "the HttpProxy logs of {server} ({protocols}): they name the scheme of every request"
            ));
        }
        if paths.iter().all(|path| path.class == "other_auth") {
            continue;
        }
        let (from, to) = (finding.at, finding.last);
        if !coverage(report, server, "logons").any(|of| of.from <= from && to <= of.to) {
            texts.push(format!(
                "the Security log of {server} from {} to {}: 4624 and 4625 by w3wp.exe show when the password was \
                 asked for",
                instant(&from),
                instant(&to)
            ));
        }
        if again.is_some_and(|again| !again.restarts.contains(server)) {
            texts.push(format!(
                "the System log of {server}: it has the recycles and restarts, which end tokens"
            ));
        }
    }
    texts.extend(again.into_iter().flat_map(|again| again.other_servers.clone()));
    texts.extend(of_change(report, finding));
    texts
}

fn of_iis_log(report: &Report, finding: &Finding, server: &str, paths: &[&Path]) -> Vec<String> {
    let Some(log) = coverage(report, server, "iis-w3c").next() else {
        return vec![format!("the IIS log of {server} (site 1): it shows who was refused")];
    };
    let mut texts = Vec::new();
    if finding.at < log.from {
        texts.push(format!(
            "the IIS log of {server} before {}: it begins after the change",
            instant(&log.from)
        ));
    }
    let until = paths.iter().map(|path| path.last).max().unwrap_or(finding.last);
    let from = finding.at - TimeDelta::seconds(2 * report.rules.ttl_seconds);
    for gap in log.gaps.iter().filter(|gap| from < gap.to && gap.from <= until) {
        texts.push(format!(
            "the IIS log of {server} from {} to {}, where it has a hole",
            instant(&gap.from),
            instant(&gap.to)
        ));
    }
    if paths.iter().any(|path| matches!(path.state, "open" | "unknown")) {
        texts.push(format!(
            "the IIS log of {server} since {}: whether it goes on",
            instant(&log.to)
        ));
    }
    texts
}

fn of_change(report: &Report, finding: &Finding) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(change) = change_of(report, finding) {
        if change.precision == "at_latest" {
            texts.push(
                "the Security logs of all domain controllers, or replication metadata: the time of the change itself"
                    .to_owned(),
            );
        } else if change.actor.is_none() && finding.kind != "expired" {
            texts.push(
                "the Security logs of all domain controllers: who made the change".to_owned(),
            );
        }
    }
    if sets_password(finding) && finding.residual != "certain" {
        texts.push(
            "the word of the user, and of whoever set the password: whether the client was given the new one"
                .to_owned(),
        );
    }
    texts
}
