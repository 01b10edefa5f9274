//! A report to the files of the night: written beside their places, and put there when all of them are whole; what lay
//! there comes back where the state does not follow.

use super::copies::{self, Copies, Stamp};
use super::settings;
use crate::analyze::night::Details;
use crate::beside::{NIGHT, folder, is_left_over, temporary};
use crate::input::sha256;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use stillin_reports::plan::Plan;
use stillin_reports::report::{Report, RequestRow};
use stillin_reports::{Content, Order, Output, Requests, Style};
use tempfile::{NamedTempFile, TempPath};

/// Where tonight's outputs go, and what each of them is.
pub fn named(outputs: &[String], now: DateTime<Utc>) -> anyhow::Result<Vec<(PathBuf, Output)>> {
    let mut taken = BTreeSet::new();
    let mut named = Vec::new();
    for pattern in outputs {
        let (path, output) =
            settings::output(pattern, now).map_err(|what| anyhow::anyhow!("{pattern}: {what}"))?;
        if !taken.insert(place(&path)) {
            bail!("{pattern}: is named as an output twice");
        }
        named.push((path, output));
    }
    Ok(named)
}

/// Refuses to write over what is needed, each with what it is.
pub fn spare<'a>(
    outputs: &[(PathBuf, Output)],
    needed: impl IntoIterator<Item = (&'a Path, &'a str)>,
) -> anyhow::Result<()> {
    let places: BTreeMap<PathBuf, &Path> =
        outputs.iter().map(|(path, _)| (place(path), path.as_path())).collect();
    let names: BTreeSet<OsString> = places.keys().filter_map(|place| name(place)).collect();
    for (spared, what) in needed {
        // There may be many files, and few are called like an output.
        if name(spared).is_none_or(|name| !names.contains(&name)) {
            continue;
        }
        if let Some(path) = places.get(&place(spared)) {
            bail!("{}: is {what}; no report is written there", path.display());
        }
    }
    Ok(())
}

/// The name of a file, as the system compares it.
fn name(path: &Path) -> Option<OsString> {
    let name = path.file_name()?;
    Some(if cfg!(windows) { name.to_string_lossy().to_lowercase().into() } else { name.to_owned() })
}

/// Where a path leads, whatever it is called.
fn place(path: &Path) -> PathBuf {
    let named = name(path).map(|name| fs::canonicalize(folder(path)).map(|at| at.join(name)));
    // A folder that is not there yet has no other name.
    let whole = named.and_then(Result::ok).or_else(|| std::path::absolute(path).ok());
    whole.unwrap_or_else(|| path.to_path_buf())
}

/// Whether one of them is made of single requests.
pub fn want_details(outputs: &[(PathBuf, Output)]) -> bool {
    outputs.iter().any(|(_, output)| is_of_details(*output))
}

/// Whether an output is made of single requests, which the report does not hold.
pub fn is_of_details(output: Output) -> bool {
    matches!(output, Output::Html | Output::Xlsx | Output::Timeline | Output::Ecs)
}

/// Outputs that are written, and not yet in their places.
pub struct Written<'a>(Vec<(&'a (PathBuf, Output), NamedTempFile)>);

/// Writes all of them beside their places, or none.
pub fn write<'a>(
    outputs: &'a [(PathBuf, Output)],
    report: &Report,
    details: &Details,
    copies: &Copies,
) -> anyhow::Result<Written<'a>> {
    let mut plan = Plan::of(report);
    if outputs.iter().any(|(_, output)| *output == Output::Plan) {
        let mut text = Vec::new();
        let content = Content::of(report, &plan);
        stillin_reports::write(content, Output::Json, Style::default(), &mut text)?;
        plan.report_sha256 = Some(sha256(&text));
    }
    let requests = |order| -> Requests<'_> {
        let mut rows: Vec<&RequestRow> = details.requests.iter().collect();
        if order == Order::Time {
            // Of one second in the order that they have.
            rows.sort_by_key(|row| row.end);
        }
        Box::new(rows.into_iter().cloned())
    };
    let timelines = || details.timelines.clone();
    let (plan, requests, timelines) = (&plan, &requests, &timelines);
    let content = Content { report, plan, requests, timelines };
    let written = (0..).zip(outputs).map(|(index, named)| {
        let (path, output) = named;
        let write = |mut to: &mut (dyn Write + Send)| match copies.get(&index) {
            Some(from) => io::copy(&mut fs::File::open(from)?, &mut to).map(|_| ()),
            None => stillin_reports::write(content, *output, Style::default(), to),
        };
        let file = beside(path, write).with_context(|| cannot_write(path))?;
        Ok((named, file))
    });
    Ok(Written(written.collect::<anyhow::Result<_>>()?))
}

impl Written<'_> {
    /// What each of them will be known by.
    pub fn stamps(&self) -> Vec<Stamp> {
        let stamp = |((path, output), file): &(&(PathBuf, Output), NamedTempFile)| {
            copies::stamp(path, file.path(), *output)
        };
        // What has none is never copied.
        self.0.iter().map(|written| stamp(written).unwrap_or_default()).collect()
    }

    /// Puts all of them there, or none.
    pub fn put(self) -> anyhow::Result<Placed> {
        let mut placed = Placed(Vec::new());
        for ((path, _), file) in self.0 {
            let put = aside(path).and_then(|before| {
                file.persist(path).map_err(|error| error.error)?;
                Ok(before)
            });
            match put {
                Ok(before) => placed.0.push((path.clone(), before)),
                Err(error) => {
                    placed.take_back();
                    return Err(error).with_context(|| cannot_write(path));
                }
            }
        }
        Ok(placed)
    }
}

/// Outputs in their places, with what lay there before.
pub struct Placed(Vec<(PathBuf, Option<TempPath>)>);

impl Placed {
    /// Puts back what lay there.
    pub fn take_back(self) {
        for (path, before) in self.0 {
            // What cannot be put back is written again by the next night.
            let _ = match before {
                Some(before) => before.persist(&path).map_err(|error| error.error),
                None => fs::remove_file(&path),
            };
        }
    }
}

/// What lies at a place, under another name beside it as well.
fn aside(path: &Path) -> io::Result<Option<TempPath>> {
    if !path.is_file() {
        return Ok(None);
    }
    let beside = temporary(folder(path), NIGHT)?.into_temp_path();
    fs::remove_file(&beside)?;
    // Not every file system has two names for a file.
    fs::hard_link(path, &beside).or_else(|_| fs::copy(path, &beside).map(|_| ()))?;
    Ok(Some(beside))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Removes what a run that was killed had begun beside its outputs. Nobody else is at work with them.
pub fn clear(outputs: &[(PathBuf, Output)]) {
    let folders: BTreeSet<&Path> = outputs.iter().map(|(path, _)| folder(path)).collect();
    for entry in folders.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten() {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_left_over(&name) && name.starts_with(NIGHT) {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A whole file in the folder of another, on the disk.
fn beside(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    let mut file = temporary(folder, NIGHT)?;
    let mut to = BufWriter::new(file.as_file_mut());
    write(&mut to)?;
    to.flush()?;
    drop(to);
    file.as_file().sync_all()?;
    Ok(file)
}
