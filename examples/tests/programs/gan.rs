//! Trains the GAN as a user does, and checks its picture.

use crate::run::succeed;
use std::fs::File;

/// The size of the picture: ten by ten digits of 48 pixels, with margins of 8 pixels.
const SIDE: u32 = 10 * 56 + 8;

#[test]
fn readme_command_writes_digits() {
    let folder = tempfile::tempdir().unwrap();
    let (_, log) = succeed(env!("CARGO_BIN_EXE_gan"), folder.path(), "fit --max-epochs 20");
    assert!(log.contains("epoch 19/19") && log.contains("generator_loss"), "{log}");

    let picture = File::open(folder.path().join("lightning_logs/version_0/samples.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(picture)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height), (SIDE, SIDE));
    // handwritten digits are about one third ink, so that a blank or a black picture cannot be digits
    let ink: f64 = pixels.iter().map(|pixel| 1.0 - f64::from(*pixel) / 255.0).sum::<f64>() / pixels.len() as f64;
    assert!((0.1..0.5).contains(&ink), "{ink}");
}
