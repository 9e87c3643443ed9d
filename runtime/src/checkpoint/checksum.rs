//! The checksum of a file, which is itself part of the file.

use super::layout::CHECKSUM;
use std::hash::Hasher;
use std::ops::Range;
use twox_hash::XxHash3_64;

const ALGORITHM: &str = "xxh3:";
const DIGITS: usize = 16;

/// The placeholder of the checksum in the header, which is summed in its place.
pub(super) const UNKNOWN: &str = "xxh3:0000000000000000";

/// An incremental checksum of a file.
pub(super) struct Checksum(XxHash3_64);

impl Checksum {
    /// Starts the checksum of a file with the length of its header and the header, whose digits at `position` count as `0`.
    pub(super) fn of_header(length: &[u8], header: &[u8], position: &Range<usize>) -> Self {
        let mut sum = Self(XxHash3_64::with_seed(0));
        sum.add(length);
        sum.add(&header[..position.start]);
        sum.add(&[b'0'; DIGITS]);
        sum.add(&header[position.end..]);
        sum
    }

    /// Starts the checksum of a file that is not one of this crate with its first bytes.
    pub(super) fn of_start(start: &[u8]) -> Self {
        let mut sum = Self(XxHash3_64::with_seed(0));
        sum.add(start);
        sum
    }

    /// Adds the next bytes of the file.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Returns the digits that are written to the file.
    pub(super) fn digits(&self) -> String {
        format!("{:0DIGITS$x}", self.0.finish())
    }
}

/// Returns the range of the digits in a header with such a checksum.
///
/// A quotation mark inside of a JSON string is escaped by a backslash, so that the key is not found anywhere else.
pub(super) fn position_in(header: &str) -> Option<Range<usize>> {
    let before = format!("\"{CHECKSUM}\":\"{ALGORITHM}");
    let start = header.find(&before)? + before.len();
    let rest = header.get(start..)?;
    let digits = rest.bytes().take_while(|byte| byte.is_ascii_hexdigit()).count();
    (digits == DIGITS && rest[digits..].starts_with('"')).then_some(start..start + DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `xxhash.xxh3_64_hexdigest` in Python.
    #[test]
    fn checksum_is_the_64_bit_xxh3() {
        let sum_of = |bytes: &[u8]| {
            let mut sum = Checksum(XxHash3_64::with_seed(0));
            bytes.chunks(100).for_each(|chunk| sum.add(chunk));
            sum.digits()
        };
        assert_eq!(sum_of(b""), "2d06800538d394c2");
        assert_eq!(sum_of(b"tch-lightning"), "578a4332ce91ca57");
        assert_eq!(sum_of(&[7; 1000]), "5d7e9d56395451ea");
    }

    #[test]
    fn digits_are_found_where_the_header_has_them() {
        let header = format!("{{\"__metadata__\":{{\"{CHECKSUM}\":\"{UNKNOWN}\"}}}}");
        let position = position_in(&header).unwrap();
        assert_eq!(header[position], UNKNOWN[ALGORITHM.len()..]);
        assert_eq!(position_in(&header.replace("00\"", "0\"")), None);
        assert_eq!(position_in(&header.replace("xxh3", "sha1")), None);
        // as text inside of another value
        assert_eq!(position_in(&header.replace('"', "\\\"")), None);
    }
}
