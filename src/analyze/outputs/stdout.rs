//! What goes to stdout: text with or without colours, and data as it is.

use crate::cli::Color;
use std::io::{self, Write};
use stillin_reports::{Content, Output, Style};

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

/// Writes an output to stdout.
pub fn write(content: Content<'_>, output: Output, color: Color) -> anyhow::Result<()> {
    use std::io::IsTerminal;
    let mut bytes = Vec::new();
    match io::stdout().is_terminal() {
        true if output.is_binary() => {
            anyhow::bail!("is no text for a terminal; name a file with -o, or send it on with >")
        }
        // A terminal is steered by what a log may hold, a program is not.
        false if output.is_data() => {
            stillin_reports::write(content, output, Style::default(), &mut bytes)?;
            unless_closed(io::stdout().write_all(&bytes).and_then(|()| io::stdout().flush()))
        }
        _ if output.is_data() => {
            stillin_reports::write(content, output, Style::default(), &mut bytes)?;
            print(&bytes, Color::Never)
        }
        _ => {
            stillin_reports::write(content, output, style(color), &mut bytes)?;
            print(&bytes, color)
        }
    }
}

/// Prints to stdout. A reader that went away early, as `head` does, is no error.
pub fn print(text: &[u8], color: Color) -> anyhow::Result<()> {
    let written = match color {
        // A console of Windows has to be told that colours come, or be shown them in its own way.
        Color::Always => anstream::AutoStream::always(io::stdout()).lock().write_all(text),
        Color::Auto | Color::Never => anstream::stdout().lock().write_all(text),
    };
    unless_closed(written.and_then(|()| io::stdout().flush()))
}

/// A reader that went away early is no error.
pub fn unless_closed(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
