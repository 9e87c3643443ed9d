//! Damaged files.

use crate::{checkpoint, refused};
use tch_lightning::checkpoint::Checkpoint;

const DAMAGED: &str = "the checkpoint FILE is damaged or truncated (";
const ADVICE: &str = "): use an earlier one, or train again";

fn is_one_of_a_damaged_file(said: &str) -> bool {
    said.starts_with(DAMAGED) && said.ends_with(ADVICE) && !said.contains('\n')
}

#[test]
fn truncated_file_is_refused_at_every_length() {
    let bytes = checkpoint().to_bytes().unwrap();
    for length in 0..bytes.len() {
        let said = refused(&bytes[..length]);
        assert!(is_one_of_a_damaged_file(&said), "{length}: {said}");
    }
    let said = refused(&bytes[..bytes.len() - 3]);
    assert_eq!(said, format!("{DAMAGED}its tensors need 24 bytes, but there are 21{ADVICE}"));
    assert_eq!(refused(b""), format!("{DAMAGED}it has 0 bytes and no header{ADVICE}"));
}

#[test]
fn change_of_any_byte_is_detected() {
    let whole = checkpoint().to_bytes().unwrap();
    Checkpoint::from_bytes(&whole).unwrap();
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for place in 0..whole.len() {
        // one bit, the case of a letter, a space for a tab, every bit
        for mask in [0x01, 0x20, 0x29, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= mask;
            let said = Checkpoint::from_bytes(&bytes).unwrap_err().to_string().replace("in memory", "FILE");
            assert!(is_one_of_a_damaged_file(&said), "{place} ^ {mask:x}: {said}");
            if place >= 8 + header {
                assert!(said.starts_with(&format!("{DAMAGED}its checksum is ")), "{place} ^ {mask:x}: {said}");
            }
        }
    }
}

/// Replaces the last of two spaces that pad the header by a tab: the JSON is the same, but the file is not.
#[test]
fn change_without_effect_is_detected() {
    let lengths = (0..8).map(|length| {
        let mut checkpoint = checkpoint();
        checkpoint.metadata.module = "m".repeat(length);
        checkpoint.to_bytes().unwrap()
    });
    let padded = |bytes: &Vec<u8>| bytes[8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize - 1] == b' ';
    let mut bytes = lengths.clone().find(padded).unwrap();
    let place = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize - 1;
    bytes[place] = b'\t';
    let said = refused(&bytes);
    assert!(said.starts_with(&format!("{DAMAGED}its checksum is ")), "{said}");
}

#[test]
fn file_with_trailing_bytes_is_refused() {
    let mut bytes = checkpoint().to_bytes().unwrap();
    bytes.push(0);
    assert_eq!(refused(&bytes), format!("{DAMAGED}its tensors need 24 bytes, but there are 25{ADVICE}"));
}
