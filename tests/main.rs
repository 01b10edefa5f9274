//! The program from outside: arguments and files to exit status, streams and written files.
//! One test binary, because linking it takes longer than running it.

mod support;

mod cli;
mod scenarios;
