//! Confluent's wire format: a zero, the schema's number, and for Protobuf the message's place in its file.

/// A value in its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Framed<'v> {
    /// The schema's number.
    pub(crate) id: u32,
    /// What follows.
    pub(crate) data: &'v [u8],
}

impl<'v> Framed<'v> {
    /// `None`: the value begins otherwise.
    pub(crate) fn read(value: &'v [u8]) -> Option<Self> {
        let (id, data) = value.strip_prefix(&[0])?.split_first_chunk()?;
        Some(Self {
            id: u32::from_be_bytes(*id),
            data,
        })
    }
}

/// Levels of nesting that a message's place may have.
const MOST_LEVELS: i64 = 100;

/// The place of a message in its file: the number of the message on each level, and the data behind it. A
/// zero alone is the first one.
pub(crate) fn message_place(data: &[u8]) -> Option<(Vec<usize>, &[u8])> {
    let (levels, mut rest) = zigzag(data)?;
    if levels == 0 {
        return Some((vec![0], rest));
    }
    if !(1..=MOST_LEVELS).contains(&levels) {
        return None;
    }
    let mut place = Vec::new();
    for _ in 0..levels {
        let (number, behind) = zigzag(rest)?;
        place.push(usize::try_from(number).ok()?);
        rest = behind;
    }
    Some((place, rest))
}

/// A number in Avro's and Protobuf's zigzag form.
fn zigzag(data: &[u8]) -> Option<(i64, &[u8])> {
    let mut number = 0_u64;
    for (n, byte) in data.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f).checked_shl(7 * n as u32)?;
        if byte & 0x80 == 0 {
            let number = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
            return Some((number, data.get(n + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_zero_and_four_bytes() {
        let framed = Framed::read(&[0, 0, 0, 1, 2, 7, 8]).unwrap();
        assert_eq!((framed.id, framed.data), (258, &[7, 8][..]));
        assert!(Framed::read(&[0, 0, 0, 0, 9]).unwrap().data.is_empty());
        for value in [&b""[..], &[0], &[0, 0, 0, 1], b"{\"url\":1}", &[1, 0, 0, 0, 1, 2]] {
            assert_eq!(Framed::read(value), None);
        }
    }

    #[test]
    fn places_of_messages() {
        assert_eq!(message_place(&[0, 9]), Some((vec![0], &[9][..])));
        // One level, the second message; two levels.
        assert_eq!(message_place(&[2, 2, 9]), Some((vec![1], &[9][..])));
        assert_eq!(message_place(&[4, 0, 2]), Some((vec![0, 1], &[][..])));
        let many = [0xff; 12];
        for bad in [&[][..], &[2], &[1], &[2, 1], &[0xd2, 1], &many] {
            assert_eq!(message_place(bad), None, "{bad:?}");
        }
    }
}
