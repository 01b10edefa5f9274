//! What an IIS request means on an Exchange server.
