use tch_lightning::prelude::*;

struct Watch;

#[lightning_callback]
impl Watch {
    #[rank_zero_only]
    fn on_train_epoch_end(&mut self) {
        self.report();
    }

    #[tch_lightning::rank_zero_only]
    fn report(&self) {
        println!("over");
    }
}

fn main() {}
