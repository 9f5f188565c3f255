//! Tests under ink!'s own end-to-end client; see `tests/`.
