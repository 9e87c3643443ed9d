//! Reads arbitrary bytes as a checkpoint: unchanged, and again with a corrected checksum, because a wrong one is refused before
//! anything else is read. A checkpoint that was read must be the same after it is written and read again.
//!
//! The seeds are a checkpoint of layout 1, `runtime/tests/checkpoint/layout-1.ckpt`, and the same one written in layout 2.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tch_lightning::checkpoint::Checkpoint;
use twox_hash::XxHash3_64;

const BEFORE_CHECKSUM: &[u8] = br#""tch_lightning.checksum":"xxh3:"#;
const DIGITS: usize = 16;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Some(bytes) = with_its_checksum(bytes) {
        read(&bytes);
    }
});

fn read(bytes: &[u8]) {
    let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return };
    let written = checkpoint.to_bytes().unwrap();
    assert_eq!(Checkpoint::from_bytes(&written).unwrap().to_bytes().unwrap(), written);
}

fn with_its_checksum(bytes: &[u8]) -> Option<Vec<u8>> {
    let found = bytes.windows(BEFORE_CHECKSUM.len()).position(|window| window == BEFORE_CHECKSUM)?;
    let start = found + BEFORE_CHECKSUM.len();
    let mut bytes = bytes.to_vec();
    bytes.get_mut(start..start + DIGITS)?.fill(b'0');
    let digits = format!("{:016x}", XxHash3_64::oneshot(&bytes));
    bytes[start..start + DIGITS].copy_from_slice(digits.as_bytes());
    Some(bytes)
}
