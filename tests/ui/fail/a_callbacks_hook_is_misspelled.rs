use tch_lightning::prelude::*;

struct Printer;

#[lightning_callback]
impl Printer {
    fn on_train_epoch_finish(&mut self) {}

    fn on_epoch_end(&mut self) {}

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn on_train_start(&mut self, trainer: usize) {
        println!("{trainer}");
    }
}

fn main() {}
