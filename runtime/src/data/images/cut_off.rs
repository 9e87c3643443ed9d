//! JPEG files that were cut off, of which the decoder would return as much as there is.

/// The marker of the end of an image.
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
/// The second byte of the marker before the pixels.
const START_OF_SCAN: u8 = 0xDA;

/// Returns whether this is a JPEG file without the marker of its end, as after an interrupted download. Pillow refuses such files, too.
pub(super) fn is_cut_off(file: &[u8]) -> bool {
    pixels(file).is_some_and(|pixels| !pixels.windows(2).rev().any(|pair| pair == END_OF_IMAGE))
}

/// Returns what follows the segments of the head, which may have the end of a thumbnail; `None` if this is not a JPEG file. In a file
/// that ends in its head, nothing follows.
fn pixels(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        rest = match rest {
            // bytes that fill the space before a marker
            [0xFF, 0xFF, ..] => &rest[1..],
            [0xFF, START_OF_SCAN, ..] => return Some(rest),
            [0xFF, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest.get(2 + length..).unwrap_or_default()
            }
            [] | [0xFF, ..] => return Some(&[]),
            _ => return None,
        };
    }
}
