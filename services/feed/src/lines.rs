//! Lines of bounded length from any reader.

use std::io::{self, BufRead};

/// One line that is not blank.
#[derive(Debug)]
pub(crate) enum Line {
    /// Its number, from 1, and its bytes without the line end.
    Whole(u64, Vec<u8>),
    /// It is longer than allowed and was passed over.
    TooLong(u64),
    /// Reading failed within it; nothing follows.
    Broken(u64, io::Error),
}

/// Cuts a reader into lines, holding one at a time.
pub(crate) struct Lines {
    input: Box<dyn BufRead>,
    number: u64,
    max: usize,
    ended: bool,
}

impl Lines {
    /// Lines of at most `max` bytes.
    pub(crate) fn new(input: Box<dyn BufRead>, max: usize) -> Self {
        Self {
            input,
            number: 0,
            max,
            ended: false,
        }
    }

    /// What has not been read yet.
    pub(crate) fn into_rest(self) -> Box<dyn BufRead> {
        self.input
    }

    /// Reads up to the next line end into `line`; says whether it fits. Sets `ended` at the end of the input.
    fn fill(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let mut fits = true;
        loop {
            let buffer = match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if buffer.is_empty() {
                self.ended = true;
                return Ok(fits);
            }
            let end = buffer.iter().position(|b| *b == b'\n');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            // A carriage return may still go, so one byte more is let in.
            if fits && line.len() + part.len() <= self.max + 1 {
                line.extend_from_slice(part);
            } else {
                fits = false;
                *line = Vec::new();
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(fits);
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        while !self.ended {
            let mut line = Vec::new();
            self.number += 1;
            let fits = match self.fill(&mut line) {
                Ok(fits) => fits,
                Err(e) => {
                    self.ended = true;
                    return Some(Line::Broken(self.number, e));
                }
            };
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if !fits || line.len() > self.max {
                return Some(Line::TooLong(self.number));
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line::Whole(self.number, line));
            }
        }
        None
    }
}
