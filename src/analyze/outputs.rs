//! Output files: made before the run, so that a bad path fails in the first second.

use crate::cli::{Analyze, Color, rows_of};
use crate::source::{Origin, Source};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use stillin_reports::report::{Report, RequestRow};
use stillin_reports::{Output, RowWriter, Rows, Style};

/// Everything that will be written.
pub struct Outputs<'a> {
    args: &'a Analyze,
    reports: Vec<(Output, &'a Path, Target)>,
    rows: Option<(Rows, Target)>,
    paths: Vec<PathBuf>,
}

enum Target {
    Stdout,
    File(File),
}

/// Makes the output files.
pub fn create(args: &Analyze) -> anyhow::Result<Outputs<'_>> {
    let mut outputs = Outputs { args, reports: Vec::new(), rows: None, paths: Vec::new() };
    for path in &args.output {
        let output = format_of(path, args.format)?;
        let target = outputs.target(path)?;
        outputs.reports.push((output, path, target));
    }
    if let Some(path) = &args.requests {
        let Some(rows) = rows_of(path) else {
            bail!("--requests {}: the extension must be .jsonl, .csv or .parquet", path.display());
        };
        let target = outputs.target(path)?;
        outputs.rows = Some((rows, target));
    }
    Ok(outputs)
}

/// The extension tells the format; `--format` speaks for names that have none, and for stdout.
fn format_of(path: &Path, format: Option<Output>) -> anyhow::Result<Output> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if let Some(output) = extension.and_then(Output::from_extension) {
        return Ok(output);
    }
    match (format, path.as_os_str() == "-") {
        (Some(format), _) => Ok(format),
        (None, true) => Ok(Output::Terminal),
        (None, false) => bail!(
            "-o {}: the extension tells no format; name it .json or .txt, or say --format",
            path.display()
        ),
    }
}

impl Outputs<'_> {
    fn target(&mut self, path: &Path) -> anyhow::Result<Target> {
        if path.as_os_str() == "-" {
            return Ok(Target::Stdout);
        }
        let is_input = self.args.paths.iter().any(|input| is_same_file(input, path));
        if is_input {
            bail!("{}: is also an input; evidence is never written to", path.display());
        }
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let canonical = std::fs::canonicalize(path);
        if let Ok(canonical) = canonical {
            if self.paths.contains(&canonical) {
                bail!("{}: is named as an output twice", path.display());
            }
            self.paths.push(canonical);
        }
        Ok(Target::File(file))
    }

    /// Whether a source is one of these files.
    pub fn is_one(&self, source: &Source) -> bool {
        matches!(source.origin, Origin::File)
            && std::fs::canonicalize(&source.fs_path).is_ok_and(|path| self.paths.contains(&path))
    }

    /// Writes everything; without any output, a summary goes to stdout.
    pub fn write(
        self,
        report: &Report,
        rows: impl Iterator<Item = RequestRow>,
    ) -> anyhow::Result<()> {
        if let Some((format, target)) = self.rows {
            let path = self.args.requests.as_deref().unwrap_or(Path::new("-"));
            let to: Box<dyn Write + Send> = match target {
                Target::Stdout => Box::new(BufWriter::new(io::stdout())),
                Target::File(file) => Box::new(BufWriter::new(file)),
            };
            write_rows(format, to, rows)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let color = self.args.reading.color;
        if self.args.output.is_empty() && self.args.requests.as_deref() != Some(Path::new("-")) {
            return to_stdout(report, self.args.format.unwrap_or(Output::Terminal), color);
        }
        for (output, path, target) in self.reports {
            match target {
                Target::Stdout => to_stdout(report, output, color)?,
                Target::File(file) => to_file(report, output, file)
                    .with_context(|| format!("cannot write {}", path.display()))?,
            }
        }
        Ok(())
    }
}

fn write_rows(
    format: Rows,
    to: Box<dyn Write + Send>,
    rows: impl Iterator<Item = RequestRow>,
) -> io::Result<()> {
    let mut writer = RowWriter::new(format, to)?;
    for row in rows {
        writer.row(&row)?;
    }
    writer.finish()
}

fn to_file(report: &Report, output: Output, file: File) -> io::Result<()> {
    let mut to = BufWriter::new(file);
    stillin_reports::write(report, output, Style::default(), &mut to)?;
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

fn to_stdout(report: &Report, output: Output, color: Color) -> anyhow::Result<()> {
    let mut text = Vec::new();
    stillin_reports::write(report, output, style(color), &mut text)?;
    print(&text, color)
}

/// Prints to stdout. A reader that went away early, as `head` does, is no error.
pub fn print(text: &[u8], color: Color) -> anyhow::Result<()> {
    let written = match color {
        Color::Always => io::stdout().lock().write_all(text),
        Color::Auto | Color::Never => anstream::stdout().lock().write_all(text),
    };
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
