//! Everything that goes to the error stream: errors, warnings, progress. Remembers that a run is partial.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use stillin_reports::text::safe;

/// Where messages go, and what they came to.
pub struct Messages {
    is_quiet: bool,
    is_partial: AtomicBool,
    bar: ProgressBar,
}

impl Messages {
    /// `is_quiet`: only errors.
    pub fn new(is_quiet: bool) -> Self {
        Messages { is_quiet, is_partial: AtomicBool::new(false), bar: ProgressBar::hidden() }
    }

    /// Something was not read, or not whole: the report is partial.
    pub fn partial(&self, text: &str) {
        self.is_partial.store(true, Ordering::Relaxed);
        self.print(text);
    }

    /// Something worth knowing.
    pub fn note(&self, text: &str) {
        if !self.is_quiet {
            self.print(text);
        }
    }

    /// Whether anything was not read, or not whole.
    pub fn is_partial(&self) -> bool {
        self.is_partial.load(Ordering::Relaxed)
    }

    /// Begins to show progress, if anybody can see it.
    pub fn begin(&self, bytes: u64) {
        // Not before: a bar that can be seen is drawn anew with every message.
        if !self.is_quiet && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_length(bytes);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        {
            self.bar.set_style(style);
        }
    }

    /// That many bytes more.
    pub fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// The bar is not needed any more.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn print(&self, text: &str) {
        // Nobody can be told that the error stream is closed.
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "stillin: {}", safe(text));
        });
    }
}
