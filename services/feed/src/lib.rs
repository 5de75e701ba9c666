//! (being written)

mod samples;

pub use samples::{SAMPLES, Sample};
