//! The query of an ActiveSync request.
