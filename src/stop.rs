//! Ctrl-C to a wish: what is under way comes to its end, and says what came of it. A second one ends the program at once.

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a wish may go unnoticed while nothing is done.
const A_BLINK: Duration = Duration::from_millis(50);

/// Whether the user wants the program to stop.
#[derive(Debug)]
pub struct Stop {
    is_wanted: Arc<AtomicBool>,
    /// The next signal ends the program.
    is_deadly: Arc<AtomicBool>,
}

impl Stop {
    /// From now on Ctrl-C is a wish, and so is what a service is told to end by.
    pub fn on_ctrl_c() -> anyhow::Result<Stop> {
        let stop = Stop { is_wanted: Arc::default(), is_deadly: Arc::default() };
        for signal in [SIGINT, SIGTERM] {
            let wish = || {
                flag::register_conditional_shutdown(signal, 128 + signal, stop.is_deadly.clone())?;
                flag::register(signal, stop.is_deadly.clone())?;
                flag::register(signal, stop.is_wanted.clone())
            };
            wish().context("cannot wait for Ctrl-C")?;
        }
        Ok(stop)
    }

    /// It does.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::SeqCst)
    }

    /// Sleeps, unless or until it does.
    pub fn sleep(&self, duration: Duration) {
        let begin = Instant::now();
        while !self.is_wanted() {
            let rest = duration.saturating_sub(begin.elapsed());
            if rest.is_zero() {
                return;
            }
            std::thread::sleep(rest.min(A_BLINK));
        }
    }

    /// Waits for the user, whom the first Ctrl-C has to set free.
    pub fn or_end<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.is_deadly.store(true, Ordering::SeqCst);
        let answer = wait();
        self.is_deadly.store(self.is_wanted(), Ordering::SeqCst);
        answer
    }
}
