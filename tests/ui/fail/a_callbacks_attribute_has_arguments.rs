use tch_lightning::prelude::*;

struct Watch;

#[lightning_callback(monitor = "val_loss")]
impl Watch {
    fn on_fit_end(&mut self) {}
}

fn main() {}
