//! Output files: opened before the run, so that a bad path fails in the first second, and put in their places when all
//! of them are whole, so that a run that fails leaves what stood there.

mod stdout;
mod target;

pub use stdout::{print, style};
pub use target::not_writable;

use crate::cli::{Analyze, rows_of};
use crate::input::sha256;
use crate::messages::Messages;
use crate::source::{Origin, Source};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use stillin_reports::plan::{Plan, left_out};
use stillin_reports::report::Report;
use stillin_reports::{Content, Order, Output, Requests, RowWriter, Rows, Style};
use target::{Begun, Opened, Target};

/// Everything that will be written.
pub struct Outputs<'a> {
    args: &'a Analyze,
    reports: Vec<(Output, Target<'a>)>,
    rows: Option<(Rows, Target<'a>)>,
}

/// Opens the output files, once everything about them is known to be right.
pub fn create(args: &Analyze) -> anyhow::Result<Outputs<'_>> {
    let reports = args.output.iter().map(|path| Ok((format_of(path, args.format)?, path)));
    let reports: Vec<_> = reports.collect::<anyhow::Result<_>>()?;
    let rows = args.requests.as_deref().map(|path| (rows_format_of(path), path));
    let mut outputs = Outputs { args, reports: Vec::new(), rows: None };
    for (output, path) in reports {
        let target = outputs.target(path)?;
        outputs.reports.push((output, target));
    }
    if let Some((format, path)) = rows {
        outputs.rows = Some((format?, outputs.target(path)?));
    }
    Ok(outputs)
}

fn rows_format_of(path: &Path) -> anyhow::Result<Rows> {
    rows_of(path).with_context(|| {
        format!("--requests {}: the extension must be .jsonl, .csv or .parquet", path.display())
    })
}

/// The name tells the format; `--format` speaks for names that have none, and for stdout.
fn format_of(path: &Path, format: Option<Output>) -> anyhow::Result<Output> {
    let name = path.file_name().and_then(|name| name.to_str());
    if let Some(output) = name.and_then(Output::from_file_name) {
        return Ok(output);
    }
    match (format, path.as_os_str() == "-") {
        (Some(format), _) => Ok(format),
        (None, true) => Ok(Output::Terminal),
        (None, false) => bail!(
            "-o {}: the name tells no format; name it .html, .json, .txt, .md, .xlsx, .ps1, .cmd or .yml, findings.csv, \
             exposure.parquet, timeline.jsonl or ecs.jsonl, or say --format",
            path.display()
        ),
    }
}

impl<'a> Outputs<'a> {
    fn target(&self, path: &'a Path) -> anyhow::Result<Target<'a>> {
        let twice = || anyhow::anyhow!("{}: is named as an output twice", path.display());
        if path.as_os_str() == "-" {
            let is_taken = self.targets().any(|target| target.file.is_none());
            return if is_taken { Err(twice()) } else { Ok(Target { path, file: None }) };
        }
        if self.args.paths.iter().any(|input| is_same_file(input, path)) {
            return Err(is_evidence(path));
        }
        if self.args.pseudonymize.as_deref().is_some_and(|key| is_same_file(key, path)) {
            bail!("{}: is the key of the pseudonyms; it is never written to", path.display());
        }
        let settings = self.args.reading.unsaid.file.as_deref();
        if settings.is_some_and(|settings| is_same_file(settings, path)) {
            bail!("{}: holds the settings of this run; it is never written to", path.display());
        }
        let opened = Opened::new(path).map_err(not_writable).with_context(|| cannot_write(path))?;
        if self.files().any(|other| other.identity == opened.identity) {
            return Err(twice());
        }
        Ok(Target { path, file: Some(opened) })
    }

    fn targets(&self) -> impl Iterator<Item = &Target<'a>> {
        let reports = self.reports.iter().map(|(_, target)| target);
        reports.chain(self.rows.iter().map(|(_, target)| target))
    }

    fn files(&self) -> impl Iterator<Item = &Opened> {
        self.targets().filter_map(|target| target.file.as_ref())
    }

    /// Whether a source is one of these files.
    pub fn is_one(&self, source: &Source) -> bool {
        self.of(source).is_some()
    }

    /// Whether a source is one of these files, and empty because nothing was written to it yet.
    pub fn is_empty_one(&self, source: &Source) -> bool {
        let is_empty = || std::fs::metadata(&source.fs_path).is_ok_and(|meta| meta.len() == 0);
        matches!(source.origin, Origin::File) && self.is_one(source) && is_empty()
    }

    /// Refuses to write over a source. The program's own reports are no sources.
    pub fn spare(&self, source: &Source) -> anyhow::Result<()> {
        self.of(source).map_or(Ok(()), |target| Err(is_evidence(target.path)))
    }

    fn of(&self, source: &Source) -> Option<&Target<'a>> {
        if matches!(source.origin, Origin::Stdin) {
            return None;
        }
        // By what the file is, not by its name: another name may be a link to it.
        let source = same_file::Handle::from_path(&source.fs_path).ok()?;
        self.targets().find(|target| target.file.as_ref().is_some_and(|f| f.identity == source))
    }

    /// The formats that will be written, with where they go.
    fn formats(&self) -> Vec<(Output, &'a Path)> {
        let on_stdout =
            self.speaks().then(|| (self.args.format.unwrap_or(Output::Terminal), Path::new("-")));
        let reports = self.reports.iter().map(|(output, target)| (*output, target.path));
        reports.chain(on_stdout).collect()
    }

    /// Refuses a format that a verb does not write; the error says what it does write.
    pub fn take_only(&self, formats: &[Output], what: &str) -> anyhow::Result<()> {
        match self.formats().into_iter().find(|(output, _)| !formats.contains(output)) {
            Some((_, path)) => bail!("-o {}: is written as {what} only", path.display()),
            None => Ok(()),
        }
    }

    /// Whether a report goes to stdout though no output says so.
    fn speaks(&self) -> bool {
        self.args.output.is_empty() && self.args.requests.as_deref() != Some(Path::new("-"))
    }

    /// The plan of a report, as these outputs need it; says which of its steps they will lack.
    pub fn plan(&self, report: &Report, messages: &Messages) -> anyhow::Result<Plan> {
        let mut plan = Plan::of(report);
        for (output, path) in self.formats() {
            if output == Output::Plan && plan.report_sha256.is_none() {
                let mut text = Vec::new();
                let content = Content::of(report, &plan);
                stillin_reports::write(content, Output::Json, Style::default(), &mut text)?;
                plan.report_sha256 = Some(sha256(&text));
            }
            if let Some(what) = left_out(&plan, output) {
                let cure = "do by hand what the report says of it, or keep its logs in a folder with the name of the \
                            server";
                messages.partial(&format!("{}: {what}; {cure}", path.display()));
            }
        }
        Ok(plan)
    }

    /// Writes everything; without any output, a summary goes to stdout.
    pub fn write(self, content: Content<'_>) -> anyhow::Result<()> {
        let speaks = self.speaks();
        let mut whole = Whole::default();
        if let Some((format, Target { path, file })) = self.rows {
            let rows = (content.requests)(Order::Place);
            match file {
                Some(file) => whole.add(path, file, |file| write_rows(format, file, rows))?,
                None => stdout::unless_closed(write_rows(format, io::stdout(), rows))
                    .context("stdout")?,
            }
        }
        let color = self.args.reading.color;
        for (output, Target { path, file }) in self.reports {
            match file {
                None => stdout::write(content, output, color).context("stdout")?,
                Some(file) => whole.add(path, file, |file| to_file(content, output, file))?,
            }
        }
        if speaks {
            let output = self.args.format.unwrap_or(Output::Terminal);
            stdout::write(content, output, color).context("stdout")?;
        }
        whole.put()
    }
}

impl Outputs<'_> {
    /// Writes one text, drawn for each place it goes to; without any output, to stdout.
    pub fn write_text(self, draw: impl Fn(Style) -> String) -> anyhow::Result<()> {
        self.write_drawn(|_, style| Ok(draw(style).into_bytes()))
    }

    /// Writes something, drawn for each place and in its format; without any output, to stdout.
    pub fn write_drawn(
        self,
        draw: impl Fn(Output, Style) -> io::Result<Vec<u8>>,
    ) -> anyhow::Result<()> {
        let color = self.args.reading.color;
        let say = |format| print(&draw(format, style(color))?, color);
        if self.reports.is_empty() {
            return say(self.args.format.unwrap_or(Output::Terminal));
        }
        let mut whole = Whole::default();
        for (format, Target { path, file }) in self.reports {
            match file {
                None => say(format)?,
                Some(file) => whole
                    .add(path, file, |mut file| file.write_all(&draw(format, Style::default())?))?,
            }
        }
        whole.put()
    }
}

/// Outputs that are written, and not yet in their places.
#[derive(Default)]
struct Whole<'a>(Vec<(&'a Path, Begun)>);

impl<'a> Whole<'a> {
    fn add(
        &mut self,
        path: &'a Path,
        file: Opened,
        write: impl FnOnce(File) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let written = file.begin().and_then(|(file, begun)| write(file).map(|()| begun));
        self.0.push((path, written.with_context(|| cannot_write(path))?));
        Ok(())
    }

    fn put(self) -> anyhow::Result<()> {
        let put = |(path, begun): (&Path, Begun)| begun.put().with_context(|| cannot_write(path));
        self.0.into_iter().try_for_each(put)
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn is_evidence(path: &Path) -> anyhow::Error {
    anyhow::anyhow!("{}: is also an input; evidence is never written to", path.display())
}

fn write_rows(format: Rows, to: impl Write + Send + 'static, rows: Requests<'_>) -> io::Result<()> {
    let mut writer = RowWriter::new(format, Box::new(BufWriter::new(to)))?;
    for row in rows {
        writer.row(&row)?;
    }
    writer.finish()
}

fn to_file(content: Content<'_>, output: Output, file: File) -> io::Result<()> {
    let mut to = BufWriter::new(file);
    stillin_reports::write(content, output, Style::default(), &mut to)?;
    to.flush()
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    // To open a pipe waits for whoever is at its other end.
    b.is_file() && same_file::is_same_file(a, b).unwrap_or(false)
}
