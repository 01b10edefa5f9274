//! stillin: who is still in?

pub mod account;
pub mod change;
pub mod correlate;
