//! The elements of a JSON array, one at a time: a dump of articles is as often an array as it is lines.

use std::io::{self, BufRead};

/// What comes next.
#[derive(Debug)]
pub(crate) enum Element {
    /// Its number, from 1, and its bytes.
    Whole(u64, Vec<u8>),
    /// It is longer than allowed and was passed over.
    TooLong(u64),
    /// Reading failed, or the array is none: nothing follows.
    Broken(u64, io::Error),
}

/// Cuts an array into its elements, holding one at a time.
pub(crate) struct Elements {
    input: Box<dyn BufRead>,
    number: u64,
    max: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first bracket.
    Before,
    Within,
    /// Behind the last bracket.
    After,
    Ended,
}

/// What of an element has been read.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    too_long: bool,
}

impl Part {
    /// Takes a byte; `true` where it ends the element, or the array (`]`).
    fn take(&mut self, byte: u8, max: usize) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b']' if self.depth == 0 => return true,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        // White space before an element is none of it.
        if !(self.bytes.is_empty() && byte.is_ascii_whitespace()) {
            if self.bytes.len() < max {
                self.bytes.push(byte);
            } else if !byte.is_ascii_whitespace() {
                self.too_long = true;
            }
        }
        false
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.too_long
    }
}

impl Elements {
    /// Elements of at most `max` bytes.
    pub(crate) fn new(input: Box<dyn BufRead>, max: usize) -> Self {
        Self {
            input,
            number: 0,
            max,
            state: State::Before,
        }
    }

    fn read(&mut self, part: &mut Part) -> io::Result<bool> {
        loop {
            let buffer = match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if buffer.is_empty() {
                let within = self.state == State::Within;
                self.state = State::Ended;
                return if within {
                    Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the array breaks off",
                    ))
                } else {
                    Ok(false)
                };
            }
            let mut used = 0;
            let mut found = Ok(false);
            for byte in buffer {
                used += 1;
                match self.state {
                    State::Within if part.take(*byte, self.max) => {
                        if *byte == b']' {
                            self.state = State::After;
                        }
                        if !part.is_empty() {
                            found = Ok(true);
                            break;
                        }
                    }
                    State::Within => {}
                    // A second array may follow the first.
                    State::Before | State::After if *byte == b'[' => self.state = State::Within,
                    State::Before | State::After if byte.is_ascii_whitespace() => {}
                    _ => {
                        let why = "something stands behind the end of the array";
                        found = Err(io::Error::new(io::ErrorKind::InvalidData, why));
                        break;
                    }
                }
            }
            self.input.consume(used);
            if !matches!(found, Ok(false)) {
                return found;
            }
        }
    }
}

impl Iterator for Elements {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        if self.state == State::Ended {
            return None;
        }
        let mut part = Part::default();
        let read = self.read(&mut part);
        let next = self.number + 1;
        match read {
            Ok(false) => None,
            Ok(true) => {
                self.number = next;
                let end = part.bytes.trim_ascii_end().len();
                part.bytes.truncate(end);
                Some(if part.too_long {
                    Element::TooLong(next)
                } else {
                    Element::Whole(next, part.bytes)
                })
            }
            Err(e) => {
                self.state = State::Ended;
                Some(Element::Broken(next, e))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, max: usize) -> Vec<String> {
        // A small buffer: elements are cut over its ends.
        let input = io::BufReader::with_capacity(3, io::Cursor::new(text.as_bytes().to_vec()));
        let shown = |e| match e {
            Element::Whole(n, bytes) => format!("{n} {}", String::from_utf8_lossy(&bytes)),
            Element::TooLong(n) => format!("{n} too long"),
            Element::Broken(n, e) => format!("{n} broken: {e}"),
        };
        Elements::new(Box::new(input), max).map(shown).collect()
    }

    #[test]
    fn elements_come_one_by_one() {
        assert_eq!(
            read(
                " [ {\"a\": \"],\\\"[\", \"b\": [1, {}]} ,\n{\"c\":2},null ]\n",
                100
            ),
            ["1 {\"a\": \"],\\\"[\", \"b\": [1, {}]}", "2 {\"c\":2}", "3 null"]
        );
        assert_eq!(read("[]", 9), Vec::<String>::new());
        assert_eq!(read("[1,,2,]\n[3]", 9), ["1 1", "2 2", "3 3"]);
        assert_eq!(
            read("[{\"a\":1},\"0123456789\",2]", 8),
            ["1 {\"a\":1}", "2 too long", "3 2"]
        );
    }

    #[test]
    fn what_breaks_off_is_named() {
        assert_eq!(
            read("[{\"a\":1},{\"b\":", 99),
            ["1 {\"a\":1}", "2 broken: the array breaks off"]
        );
        assert_eq!(
            read("[1] x", 9),
            ["1 1", "2 broken: something stands behind the end of the array"]
        );
    }
}
