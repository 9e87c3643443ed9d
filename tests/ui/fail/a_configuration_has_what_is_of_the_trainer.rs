//! What is given to the trainer, or in another way, written on its configuration.

use tch_lightning::prelude::*;

fn main() {
    let _config = TrainerConfig::default().ckpt_path("last");
    let _config = TrainerConfig::default().resume_from_checkpoint("last.ckpt");
    let _config = TrainerConfig::new();
}
