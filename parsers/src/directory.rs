//! What the attributes of a directory object say of an account.
