//! Paths into the files to read: without the outputs of this run and earlier ones, and without what only says how to read.

use super::outputs::Outputs;
use crate::cli::{Analyze, Reading};
use crate::input::{self, Hash};
use crate::messages::Messages;
use crate::read::{self, File};
use crate::source::{self, Origin, Source};
use anyhow::bail;
use std::path::{Path, PathBuf};

/// The files, and what cannot be read at all.
pub fn find(
    args: &Analyze,
    hash: Hash,
    outputs: &Outputs<'_>,
    messages: &Messages,
) -> anyhow::Result<(Vec<File>, Vec<String>)> {
    let (sources, problems) = source::sources(&args.paths);
    let (sources, more) = input::expand(sources);
    let problems: Vec<String> = problems.iter().chain(&more).map(ToString::to_string).collect();
    problems.iter().for_each(|problem| messages.partial(problem));
    let sources = sources.into_iter().filter(|source| !outputs.is_empty_one(source)).collect();
    let settings = args.reading.unsaid.file.as_deref();
    let sources = without(sources, settings, "the settings", messages);
    let sources = without(sources, args.pseudonymize.as_deref(), "the key", messages);
    let (files, own) = read::look(sources, hash);
    say_own(own.iter().filter(|source| !outputs.is_one(source)), messages);
    for file in &files {
        outputs.spare(&file.source)?;
        if let Some(problem) = &file.problem {
            messages.partial(&format!("{}: {problem}", file.source.path));
        }
    }
    if files.iter().all(|file| file.encoding.is_none()) {
        bail!("nothing to read: name the folder that holds the IIS logs and the change evidence");
    }
    Ok((files, problems))
}

/// The files for `inspect`, which writes none.
pub fn look(
    paths: &[PathBuf],
    reading: &Reading,
    hash: Hash,
    messages: &Messages,
) -> anyhow::Result<Vec<File>> {
    let (sources, problems) = source::sources(paths);
    let (sources, more) = input::expand(sources);
    problems.iter().chain(&more).for_each(|problem| messages.partial(&problem.to_string()));
    let sources = without(sources, reading.unsaid.file.as_deref(), "the settings", messages);
    let (files, own) = read::look(sources, hash);
    say_own(own.iter(), messages);
    if files.is_empty() {
        bail!("nothing to look at: name a file, or a folder that holds some");
    }
    Ok(files)
}

/// The sources without a file that says how they are read, and may lie among them.
fn without(
    sources: Vec<Source>,
    file: Option<&Path>,
    what: &str,
    messages: &Messages,
) -> Vec<Source> {
    let Some(file) = file else { return sources };
    let is_it = |source: &Source| {
        matches!(source.origin, Origin::File)
            && source.fs_path.file_name() == file.file_name()
            && same_file::is_same_file(&source.fs_path, file).unwrap_or(false)
    };
    let (it, others): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(is_it);
    it.iter().for_each(|it| messages.note(&format!("{}: {what}; left out", it.path)));
    others
}

fn say_own<'a>(own: impl Iterator<Item = &'a Source>, messages: &Messages) {
    own.for_each(|own| messages.note(&format!("{}: a report of stillin; left out", own.path)));
}
