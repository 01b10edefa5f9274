//! What a Windows event says of an account.
