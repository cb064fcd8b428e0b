//! The log against a plain twin.
