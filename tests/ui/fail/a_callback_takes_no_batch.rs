use std::path::PathBuf;
use tch_lightning::prelude::*;

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self, batch: &PathBuf) {
        println!("{}", batch.display());
    }
}

fn main() {}
