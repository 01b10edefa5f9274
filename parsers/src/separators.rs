//! Positions of the separators of a block of log.
