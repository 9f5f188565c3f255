//! Attacks on prices (requirement F30).
