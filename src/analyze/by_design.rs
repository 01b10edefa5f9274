//! Requests under the names of accounts that are disabled by design to the part of the report that lists them.

use super::{Run, assemble};
use crate::case::{Finding, Path};
use crate::change::Change;
use crate::words;
use stillin_reports::report::{self, ByDesign};

/// One entry for each account, by name.
pub fn by_design(run: &Run<'_>, change_ids: &[String]) -> Vec<ByDesign> {
    let found = run.cases.iter().flat_map(|case| &case.by_design);
    let mut list: Vec<ByDesign> =
        found.filter_map(|found| of_account(run, found, &change_ids[found.change])).collect();
    list.sort_by_key(|entry| (entry.account.to_lowercase(), entry.at));
    list
}

fn of_account(run: &Run<'_>, found: &Finding, change_id: &str) -> Option<ByDesign> {
    let change = &run.directory.changes[found.change];
    let account = &run.directory.accounts.list[change.account];
    let (mailbox, design) = (account.mailbox()?, run.directory.by_design.get(&found.change)?);
    let mut paths: Vec<&Path> = found.paths.iter().collect();
    paths.sort_by_key(|path| run.collected.book.keys.get(path.key).clone());
    Some(ByDesign {
        account: account.display.clone(),
        sid: account.sid.clone(),
        mailbox: mailbox.word(),
        change: change_id.to_owned(),
        at: change.at,
        first: paths.iter().map(|path| path.first.end).min()?,
        last: paths.iter().map(|path| path.last.end).max()?,
        requests: paths.iter().map(|path| path.requests).sum(),
        paths: paths.iter().map(|path| seen(run, change, path)).collect(),
        why: words::by_design(*design, mailbox),
    })
}

/// What a path tells without a verdict.
fn seen(run: &Run<'_>, change: &Change, path: &Path) -> report::Seen {
    let path = assemble::path_of(run, change, path);
    report::Seen {
        server: path.server,
        pool: path.pool,
        protocol: path.protocol,
        name: path.name,
        first: path.first,
        last: path.last,
        requests: path.requests,
        data_requests: path.data_requests,
        clients: path.clients,
        evidence: path.evidence,
    }
}
