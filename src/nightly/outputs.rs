//! A report to the files of the night: written beside their places, and put there when all of them are whole.

use crate::input::sha256;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use stillin_reports::plan::Plan;
use stillin_reports::report::Report;
use stillin_reports::{Output, Style};
use tempfile::NamedTempFile;

/// Where tonight's outputs go, and what each of them is.
pub fn named(outputs: &[String], now: DateTime<Utc>) -> anyhow::Result<Vec<(PathBuf, Output)>> {
    let mut taken = BTreeSet::new();
    let mut named = Vec::new();
    for pattern in outputs {
        let mut name = String::new();
        if write!(name, "{}", now.format(pattern)).is_err() {
            bail!("{pattern}: has a sign that is none of a date; say %Y-%m-%d, and %% for a percent sign");
        }
        let path = PathBuf::from(&name);
        let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(output) = Output::from_file_name(file_name) else {
            bail!("{pattern}: the name tells no format; name it .json, .txt, .ps1, .cmd or .yml");
        };
        if !taken.insert(name) {
            bail!("{pattern}: is named as an output twice");
        }
        named.push((path, output));
    }
    Ok(named)
}

/// Writes all of them, or none.
pub fn write(outputs: &[(PathBuf, Output)], report: &Report) -> anyhow::Result<()> {
    let mut plan = Plan::of(report);
    if outputs.iter().any(|(_, output)| *output == Output::Plan) {
        let mut text = Vec::new();
        stillin_reports::write(report, &plan, Output::Json, Style::default(), &mut text)?;
        plan.report_sha256 = Some(sha256(&text));
    }
    let mut written = Vec::new();
    for (path, output) in outputs {
        let file = beside(path, |to| {
            stillin_reports::write(report, &plan, *output, Style::default(), to)
        });
        written.push((path, file.with_context(|| format!("cannot write {}", path.display()))?));
    }
    for (path, file) in written {
        let put = file.persist(path).map_err(|error| error.error);
        put.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A whole file in the folder of another, on the disk.
fn beside(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = temporary(folder)?;
    let mut to = BufWriter::new(file.as_file_mut());
    write(&mut to)?;
    to.flush()?;
    drop(to);
    file.as_file().sync_all()?;
    Ok(file)
}

/// Others may read a report as they may read any other new file.
#[cfg(unix)]
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::Permissions::from_mode(0o666);
    builder().permissions(permissions).tempfile_in(folder)
}

/// On Windows a file has the rights of its folder.
#[cfg(not(unix))]
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    builder().tempfile_in(folder)
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stillin-").suffix(".tmp");
    builder
}
