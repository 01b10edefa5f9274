//! Output files: opened before the run, so that a bad path fails in the first second, and emptied only when there
//! is something to write, so that a run that fails leaves what stood there.

use crate::cli::{Analyze, Color, rows_of};
use crate::input::sha256;
use crate::messages::Messages;
use crate::source::{Origin, Source};
use anyhow::{Context, bail};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use stillin_reports::plan::{Plan, left_out};
use stillin_reports::report::{Report, RequestRow};
use stillin_reports::{Output, RowWriter, Rows, Style};

/// Everything that will be written.
pub struct Outputs<'a> {
    args: &'a Analyze,
    reports: Vec<(Output, Target<'a>)>,
    rows: Option<(Rows, Target<'a>)>,
}

/// Where one output goes.
struct Target<'a> {
    /// As the user named it.
    path: &'a Path,
    /// None for stdout.
    file: Option<Opened>,
}

/// An output file that is open and not yet written.
struct Opened {
    file: Option<File>,
    canonical: PathBuf,
    identity: same_file::Handle,
    is_new: bool,
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
            "-o {}: the extension tells no format; name it .json, .txt, .ps1, .cmd or .yml, or say --format",
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
                stillin_reports::write(report, &plan, Output::Json, Style::default(), &mut text)?;
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
    pub fn write<R: Iterator<Item = RequestRow>>(
        self,
        report: &Report,
        plan: &Plan,
        rows: impl FnOnce() -> R,
    ) -> anyhow::Result<()> {
        let speaks = self.speaks();
        if let Some((format, Target { path, file })) = self.rows {
            let written = match file {
                Some(file) => file.emptied().and_then(|file| write_rows(format, file, rows())),
                None => write_rows(format, io::stdout(), rows()),
            };
            written.with_context(|| cannot_write(path))?;
        }
        let color = self.args.reading.color;
        if speaks {
            let output = self.args.format.unwrap_or(Output::Terminal);
            return to_stdout(report, plan, output, color);
        }
        for (output, Target { path, file }) in self.reports {
            match file {
                None => to_stdout(report, plan, output, color)?,
                Some(file) => file
                    .emptied()
                    .and_then(|file| to_file(report, plan, output, file))
                    .with_context(|| cannot_write(path))?,
            }
        }
        Ok(())
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
        for (format, Target { path, file }) in self.reports {
            match file {
                None => say(format)?,
                Some(file) => file
                    .emptied()
                    .and_then(|mut file| file.write_all(&draw(format, Style::default())?))
                    .with_context(|| cannot_write(path))?,
            }
        }
        Ok(())
    }
}

impl Opened {
    fn new(path: &Path) -> io::Result<Opened> {
        let is_new = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let canonical = std::fs::canonicalize(path)?;
        let identity = same_file::Handle::from_path(path)?;
        Ok(Opened { file: Some(file), canonical, identity, is_new })
    }

    /// The file, emptied of what an earlier run wrote. A device or a pipe has nothing to be emptied of.
    fn emptied(mut self) -> io::Result<File> {
        let file = self.file.take().ok_or(io::ErrorKind::NotFound)?;
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        Ok(file)
    }
}

impl Drop for Opened {
    /// A run that failed leaves no empty file behind.
    fn drop(&mut self) {
        if self.is_new && self.file.take().is_some() {
            // It cannot be told to anybody any more, and an empty file does no harm.
            let _ = std::fs::remove_file(&self.canonical);
        }
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Why a file cannot be opened for writing: in words of our own where there is a cure.
pub fn not_writable(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("no such folder; make it first"),
        _ => error.into(),
    }
}

fn is_evidence(path: &Path) -> anyhow::Error {
    anyhow::anyhow!("{}: is also an input; evidence is never written to", path.display())
}

fn write_rows(
    format: Rows,
    to: impl Write + Send + 'static,
    rows: impl Iterator<Item = RequestRow>,
) -> io::Result<()> {
    let mut writer = RowWriter::new(format, Box::new(BufWriter::new(to)))?;
    for row in rows {
        writer.row(&row)?;
    }
    writer.finish()
}

fn to_file(report: &Report, plan: &Plan, output: Output, file: File) -> io::Result<()> {
    let mut to = BufWriter::new(file);
    stillin_reports::write(report, plan, output, Style::default(), &mut to)?;
    to.flush()
}

/// Colour and width of the terminal, if stdout is one.
pub fn style(color: Color) -> Style {
    use std::io::IsTerminal;
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    };
    let width = match io::stdout().is_terminal() {
        true => terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)),
        false => 100,
    };
    Style { color, width }
}

fn to_stdout(report: &Report, plan: &Plan, output: Output, color: Color) -> anyhow::Result<()> {
    let mut text = Vec::new();
    stillin_reports::write(report, plan, output, style(color), &mut text)?;
    print(&text, color)
}

/// Prints to stdout. A reader that went away early, as `head` does, is no error.
pub fn print(text: &[u8], color: Color) -> anyhow::Result<()> {
    let written = match color {
        // A console of Windows has to be told that colours come, or be shown them in its own way.
        Color::Always => anstream::AutoStream::always(io::stdout()).lock().write_all(text),
        Color::Auto | Color::Never => anstream::stdout().lock().write_all(text),
    };
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    same_file::is_same_file(a, b).unwrap_or(false)
}
