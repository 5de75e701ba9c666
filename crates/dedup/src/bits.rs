//! Bits in a row, and ascending numbers in few of them.

/// Writes numbers of any width, lowest bit first.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    held: u32,
}

impl BitWriter {
    /// Goes on behind these bytes.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// Appends the lowest `width` bits of `value`; at most 32.
    pub(crate) fn push(&mut self, value: u32, width: u32) {
        let value = u64::from(value) & ((1 << width) - 1);
        self.pending |= value << self.held;
        self.held += width;
        if self.held >= 32 {
            self.bytes.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.held -= 32;
        }
    }

    /// Appends `value` ones and a zero.
    fn push_unary(&mut self, mut value: u32) {
        while value >= 16 {
            self.push(0xffff, 16);
            value -= 16;
        }
        self.push((1 << value) - 1, value + 1);
    }

    /// Appends ascending, distinct numbers: their gaps in Rice's code, with the parameter that fits `n` numbers
    /// spread evenly over 32 bits. Takes about 1.5 bits over the entropy.
    pub(crate) fn push_ascending(&mut self, numbers: impl Iterator<Item = u32>, n: usize) {
        let rice = rice_parameter(n);
        let mut next = 0_u64;
        for number in numbers {
            let gap = u64::from(number).saturating_sub(next);
            let high = (gap >> rice) as u32;
            if high < 32 - rice {
                // Ones, a zero and the low bits at once: nearly always.
                let low = gap & ((1 << rice) - 1);
                self.push((((1 << high) - 1) | (low << (high + 1))) as u32, high + 1 + rice);
            } else {
                self.push_unary(high);
                self.push(gap as u32, rice);
            }
            next = u64::from(number) + 1;
        }
    }

    /// All bytes; the last one filled with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let last = self.pending.to_le_bytes();
        let held = self.held.div_ceil(8) as usize;
        self.bytes.extend_from_slice(last.get(..held).unwrap_or(&last));
        self.bytes
    }
}

/// About the binary logarithm of the mean gap.
fn rice_parameter(n: usize) -> u32 {
    let mean = (1_u64 << 32) / (n as u64).max(1);
    (63 - mean.max(1).leading_zeros()).min(31)
}

/// Reads what [`BitWriter`] wrote. Every method answers `None` at the end of the bytes.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    pending: u64,
    held: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            pending: 0,
            held: 0,
        }
    }

    /// Bits that are left.
    pub(crate) const fn left(&self) -> usize {
        self.bytes.len() * 8 + self.held as usize
    }

    fn refill(&mut self) {
        while self.held <= 56 {
            let Some((byte, rest)) = self.bytes.split_first() else {
                return;
            };
            self.pending |= u64::from(*byte) << self.held;
            self.held += 8;
            self.bytes = rest;
        }
    }

    /// The next `width` bits; at most 32.
    pub(crate) fn read(&mut self, width: u32) -> Option<u32> {
        if self.held < width {
            self.refill();
            if self.held < width {
                return None;
            }
        }
        let value = (self.pending & ((1 << width) - 1)) as u32;
        self.pending >>= width;
        self.held -= width;
        Some(value)
    }

    fn read_unary(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        loop {
            self.refill();
            let ones = self.pending.trailing_ones().min(self.held);
            value = value.checked_add(ones)?;
            if ones < self.held {
                self.pending >>= ones + 1;
                self.held -= ones + 1;
                return Some(value);
            }
            if self.bytes.is_empty() {
                return None;
            }
            self.pending = 0;
            self.held = 0;
        }
    }

    /// `n` ascending, distinct numbers, each given to `each`. `None` if they leave 32 bits or the bytes end.
    pub(crate) fn read_ascending(&mut self, n: usize, mut each: impl FnMut(u32)) -> Option<()> {
        let rice = rice_parameter(n);
        let mut next = 0_u64;
        for _ in 0..n {
            let gap = u64::from(self.read_unary()?) << rice | u64::from(self.read(rice)?);
            let number = next.checked_add(gap)?;
            each(u32::try_from(number).ok()?);
            next = number + 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let mut writer = BitWriter::default();
        let numbers = [0, 1, 2, 77, 5_000_000, u32::MAX - 1, u32::MAX];
        writer.push(5, 3);
        writer.push_ascending(numbers.into_iter(), numbers.len());
        writer.push(u32::MAX, 32);
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes);
        assert_eq!(reader.read(3), Some(5));
        let mut back = Vec::new();
        reader.read_ascending(numbers.len(), |n| back.push(n)).unwrap();
        assert_eq!(back, numbers);
        assert_eq!(reader.read(32), Some(u32::MAX));
        assert!(reader.left() < 8);
        assert_eq!(reader.read(9), None);
    }

    #[test]
    fn a_gap_as_wide_as_all_numbers_is_short() {
        let mut writer = BitWriter::default();
        writer.push_ascending([u32::MAX].into_iter(), 1);
        assert!(writer.finish().len() < 8);
    }
}
