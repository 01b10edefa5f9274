//! The sources of a report to the same sources again, and what is not the same any more.

use crate::input;
use crate::nightly::gone::name_of_before;
use crate::source::{self, Origin, Source};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use stillin_reports::report::{self, Finding, Report};

/// The sources where they lie now, in their order, and a sentence for each that is not there.
pub fn sources(report: &Report, root: Option<&Path>) -> (Vec<Source>, Vec<String>) {
    let listed: BTreeSet<&str> = report.sources.iter().map(|source| source.path.as_str()).collect();
    let (mut found, mut archives) = (Vec::new(), BTreeSet::new());
    for &path in &listed {
        match file(path, root) {
            Some(source) => found.push(source),
            None => archives.extend(archive_of(path, root)),
        }
    }
    let archives = archives.iter().filter_map(|path| file(path, root)).collect();
    let (members, _) = input::expand(archives);
    found.extend(members.into_iter().filter(|member| listed.contains(member.path.as_str())));
    source::sort(&mut found);
    let here: BTreeSet<&str> = found.iter().map(|source| source.path.as_str()).collect();
    let missing = listed.difference(&here).map(|path| match *path {
        "-" => "-: was the standard input, which cannot be read again".to_owned(),
        path if name_of_before(path).is_some() => {
            format!("{path}: was replaced under its name, and only the state of `nightly` holds what it told")
        }
        path => format!("{path}: is not there any more"),
    });
    let missing = missing.collect();
    (found, missing)
}

/// A plain file: a path in a report is somebody else's text, and to open a device could block, or act.
fn file(path: &str, root: Option<&Path>) -> Option<Source> {
    let fs_path = below(path, root);
    let is_file = std::fs::metadata(&fs_path).is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| Source { path: path.to_owned(), fs_path, origin: Origin::File })
}

/// The archive that a path leads into; its own name may hold `!` as well.
fn archive_of(path: &str, root: Option<&Path>) -> Option<String> {
    let mut archives = path.match_indices('!').map(|(at, _)| &path[..at]);
    archives.find(|archive| file(archive, root).is_some()).map(str::to_owned)
}

fn below(path: &str, root: Option<&Path>) -> PathBuf {
    let Some(root) = root else { return PathBuf::from(path) };
    // Below the folder even if it was named from the root of another machine.
    let is_below =
        |part: &Component<'_>| !matches!(part, Component::Prefix(_) | Component::RootDir);
    root.join(Path::new(path).components().filter(is_below).collect::<PathBuf>())
}

/// A sentence for each source that is not what it was: by SHA-256, or where the report has none, by size.
pub fn changed(then: &Report, now: &Report) -> Vec<String> {
    let is_same = |a: &report::Source, b: &report::Source| match (&a.sha256, &b.sha256) {
        (Some(a), Some(b)) => a == b,
        _ => a.bytes == b.bytes,
    };
    let find = |path: &str| now.sources.iter().find(|source| source.path == path);
    then.sources
        .iter()
        .filter(|source| !find(&source.path).is_some_and(|again| is_same(source, again)))
        .map(|source| format!("{}: is not what it was when the report was written", source.path))
        .collect()
}

/// Says so where the same sources do not give the same finding.
pub fn judged_otherwise(then: &Report, finding: &Finding, now: &Report) -> Option<String> {
    const CURE: &str =
        "give --tz, --date-order, --server and --auth again if analyze was given them";
    let is_same = |again: &&Finding| {
        (&again.account, again.kind, again.at) == (&finding.account, finding.kind, finding.at)
    };
    let Some(again) = now.findings.iter().find(is_same) else {
        return Some(format!("the sources do not give this finding again; {CURE}"));
    };
    // Its number and that of its change are the report's, not the finding's.
    let again = Finding { id: finding.id.clone(), change: finding.change.clone(), ..again.clone() };
    (again != *finding).then(|| {
        format!(
            "the sources are judged differently now than by stillin {}: the requests line by line are as judged now; \
             {CURE}",
            then.tool.version
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lie_below_the_root() {
        let check = |path: &str, root: Option<&str>, expect: &str| {
            assert_eq!(below(path, root.map(Path::new)), Path::new(expect), "{path}");
        };
        check("iis/u.log", None, "iis/u.log");
        check("iis/u.log", Some("moved"), "moved/iis/u.log");
        check("./iis/u.log", Some("moved"), "moved/./iis/u.log");
        check("/mnt/iis/u.log", None, "/mnt/iis/u.log");
        check("/mnt/iis/u.log", Some("moved"), "moved/mnt/iis/u.log");
    }

    #[test]
    fn an_archive_may_have_a_mark_in_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a!b.zip"), "").unwrap();
        let archive = |path: &str| archive_of(path, Some(folder.path()));
        assert_eq!(archive("a!b.zip!c/d!.log").as_deref(), Some("a!b.zip"));
        assert_eq!(archive("a!c.zip!d.log"), None);
    }
}
