//! Logs that grow to a verdict that comes: the check is made again whenever a file has changed, until everything is
//! proven, something failed, or the time is over. Folders and globs are expanded anew each time, so that a log that is
//! rotated or truncated is followed.

use super::Task;
use crate::analyze::outputs::Outputs;
use crate::messages::Messages;
use crate::source;
use crate::stop::Stop;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use stillin_reports::report::Evidence;
use stillin_reports::verify::Verify;

/// Every file that is read, its size, and when it was last written.
type Seen = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// The shortest rest between two looks.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Checks again and again; the last verdict.
pub fn watch(
    task: &Task<'_>,
    outputs: &Outputs<'_>,
    messages: &Messages,
) -> anyhow::Result<Verify> {
    let (begin, lasts) = (Instant::now(), task.args.within);
    let stop = Stop::on_ctrl_c()?;
    // Also what was wished for during a check.
    let is_stopped = || {
        let is_wanted = stop.is_wanted();
        if is_wanted {
            messages.note("stopped by Ctrl-C: this is how it stands now");
        }
        is_wanted
    };
    let mut last: Option<Verify> = None;
    let mut said: BTreeMap<String, &'static str> = BTreeMap::new();
    let (mut seen, mut error_said): (Option<Seen>, Option<String>) = (None, None);
    let mut failures = Failures::new();
    loop {
        let now = Utc::now();
        let files = files(task);
        let is_over = begin.elapsed() >= lasts || stop.is_wanted();
        let is_due = last.as_ref().and_then(too_fresh).is_some_and(|until| until <= now);
        if is_due || is_over || seen.as_ref() != Some(&files) {
            let held = Messages::held();
            let checked = task.check(outputs, &held, Some(now));
            seen = Some(files);
            match checked {
                Ok(mut verdict) => {
                    remember(&mut failures, &mut verdict);
                    tell(&verdict, &mut said, now, messages);
                    if is_settled(&verdict) || is_stopped() || is_over {
                        held.release(messages);
                        return Ok(verdict);
                    }
                    last = Some(verdict);
                }
                // A log may be away for a moment while it is rotated.
                Err(error) if is_stopped() || is_over => {
                    return last.map(|last| blinded(last, &error)).ok_or(error);
                }
                Err(error) => {
                    let text = format!("{error:#}");
                    if error_said.replace(text.clone()).as_ref() != Some(&text) {
                        messages.note(&text);
                    }
                }
            }
        }
        let rest = lasts.saturating_sub(begin.elapsed());
        stop.sleep(task.args.every.min(rest.max(A_MOMENT)));
    }
}

/// The last verdict, when what it was made from is gone in the end: nothing good is known any more.
fn blinded(mut verdict: Verify, error: &anyhow::Error) -> Verify {
    if matches!(verdict.state, "proven" | "no_contradiction") {
        verdict.state = "no_coverage";
    }
    verdict.notes.push(format!("{error:#}"));
    verdict
}

/// Lines that told of access, and of whom.
type Failures = BTreeMap<Evidence, String>;

/// What failed stays so, also when the log that says so is gone. It is good again only by what the same log tells: that
/// its line was another recycle's.
fn remember(failures: &mut Failures, verdict: &mut Verify) {
    let is_read = |path: &String| verdict.sources.iter().any(|source| source.path == *path);
    failures.retain(|place, _| !is_read(&place.path));
    if let Some((place, account)) = failures.first_key_value() {
        let (path, line) = (&place.path, place.line);
        verdict.notes.push(format!(
            "{path}:{line} told that {account} was served again, and that log is gone"
        ));
        verdict.state = "failed";
    }
    for finding in &verdict.findings {
        for access in finding.paths.iter().filter_map(|path| path.access.as_ref()) {
            let places = access.evidence.iter().cloned();
            failures.extend(places.map(|place| (place, finding.reason.account.clone())));
        }
    }
}

fn files(task: &Task<'_>) -> Seen {
    let (sources, _) = source::sources(&task.args.paths);
    let paths = sources.into_iter().map(|source| source.fs_path);
    let file = |path: PathBuf| {
        let metadata = std::fs::metadata(&path).ok()?;
        Some((path, metadata.len(), metadata.modified().ok()))
    };
    paths.chain(task.args.journal.iter().cloned()).filter_map(file).collect()
}

/// When it may be possible to tell more, though nothing is written any more.
fn too_fresh(verdict: &Verify) -> Option<DateTime<Utc>> {
    let paths = verdict.findings.iter().flat_map(|finding| &finding.paths);
    paths.filter_map(|path| path.too_fresh_until).min()
}

/// Nothing that comes can change it: all is proven, or somebody was served though every step was carried out.
fn is_settled(verdict: &Verify) -> bool {
    let is_under_way = verdict.steps.iter().any(|step| step.state == "not_recycled");
    let has_failed = verdict.steps.iter().any(|step| step.state == "failed");
    match verdict.state {
        "proven" => true,
        "failed" => has_failed || !is_under_way,
        _ => false,
    }
}

/// A line for each state that is another one than before.
fn tell(
    verdict: &Verify,
    said: &mut BTreeMap<String, &'static str>,
    now: DateTime<Utc>,
    messages: &Messages,
) {
    let steps = verdict
        .steps
        .iter()
        .map(|step| (format!("step {} ({} {})", step.step, step.server, step.pool), step.state));
    let findings = verdict.findings.iter().map(|finding| {
        (format!("{} ({})", finding.reason.id, finding.reason.account), finding.state)
    });
    for (what, state) in steps.chain(findings) {
        if said.insert(what.clone(), state) != Some(state) {
            let at = now.format("%H:%M:%S");
            messages.note(&format!("{at} UTC: {what} is {}", state.replace('_', " ")));
        }
    }
}
