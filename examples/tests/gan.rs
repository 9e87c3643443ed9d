//! The GAN from outside: it is trained as a user trains it, and what it leaves is looked at.

use std::fs::File;
use std::process::Command;

/// The picture's size: ten by ten digits of 48 pixels, with 8 between them and around.
const SIDE: u32 = 10 * 56 + 8;

#[test]
fn the_readmes_command_draws_digits() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gan"))
        .args(["fit", "--max-epochs", "20"])
        .env("OMP_NUM_THREADS", "1")
        .current_dir(&folder)
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    assert!(log.contains("epoch 20/20") && log.contains("generator_loss"), "{log}");

    let picture = File::open(folder.path().join("lightning_logs/version_0/samples.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(picture)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height), (SIDE, SIDE));
    // written digits are a third ink, and all paper or all ink would be no digits
    let ink: f64 = pixels.iter().map(|pixel| 1.0 - f64::from(*pixel) / 255.0).sum::<f64>() / pixels.len() as f64;
    assert!((0.1..0.5).contains(&ink), "{ink}");
}
