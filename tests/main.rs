//! The program from outside: arguments and files to exit status, streams and written files.
//! One test binary, because linking it takes longer than running it.

mod support;

// The generator of the benchmarks, and its own tests. What only its main function needs is not used here.
#[allow(dead_code)]
#[path = "../benches/generate.rs"]
mod generate;

mod cli;
mod damage;
mod determinism;
mod html;
#[cfg(not(windows))]
mod local;
mod metamorphic;
mod nightly;
mod pseudonyms;
mod readme;
mod real;
mod recycle;
mod scenarios;
mod tidy;
mod verify;
