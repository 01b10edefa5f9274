//! Everything that goes to the error stream: errors, warnings, progress. Remembers that a run is partial.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use stillin_reports::text::safe;

/// Where messages go, and what they came to.
pub struct Messages {
    is_quiet: bool,
    is_partial: AtomicBool,
    bar: ProgressBar,
    /// What made it partial.
    partials: Mutex<Vec<String>>,
    /// What is said only if it is wanted in the end.
    held: Option<Mutex<Vec<Said>>>,
}

/// One message.
enum Said {
    Partial(String),
    Note(String),
}

impl Messages {
    /// `is_quiet`: only errors.
    pub fn new(is_quiet: bool) -> Self {
        let bar = ProgressBar::hidden();
        Messages {
            is_quiet,
            is_partial: AtomicBool::new(false),
            bar,
            partials: Mutex::default(),
            held: None,
        }
    }

    /// Nothing is said until it is released.
    pub fn held() -> Self {
        Messages { held: Some(Mutex::default()), ..Messages::new(true) }
    }

    /// Says elsewhere what was held back.
    pub fn release(self, to: &Messages) {
        let held = self.held.map(|held| held.into_inner().unwrap_or_else(PoisonError::into_inner));
        for said in held.into_iter().flatten() {
            match said {
                Said::Partial(text) => to.partial(&text),
                Said::Note(text) => to.note(&text),
            }
        }
    }

    /// Keeps a message back, if they are.
    fn hold(&self, said: impl FnOnce() -> Said) -> bool {
        let Some(held) = &self.held else { return false };
        held.lock().unwrap_or_else(PoisonError::into_inner).push(said());
        true
    }

    /// Something was not read, or not whole: the report is partial.
    pub fn partial(&self, text: &str) {
        self.is_partial.store(true, Ordering::Relaxed);
        self.partials.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
        if !self.hold(|| Said::Partial(text.to_owned())) {
            self.print(text);
        }
    }

    /// Something worth knowing.
    pub fn note(&self, text: &str) {
        if !self.hold(|| Said::Note(text.to_owned())) && !self.is_quiet {
            self.print(text);
        }
    }

    /// Whether anything was not read, or not whole.
    pub fn is_partial(&self) -> bool {
        self.is_partial.load(Ordering::Relaxed)
    }

    /// Everything that was not read, or not whole, in the order it was said.
    pub fn partials(&self) -> Vec<String> {
        self.partials.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
