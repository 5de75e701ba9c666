//! The `copydesk` executable.
fn main() {}
