use tch_lightning::prelude::*;
use tch_lightning::{callbacks::{EarlyStopping, ModelCheckpoint}};

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> (ModelCheckpoint, String) {
        (ModelCheckpoint::new(), String::new())
    }
}

struct Other {
    vs: nn::VarStore,
}

#[lightning_module]
impl Other {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_callbacks(&self) -> usize {
        1
    }
}

fn main() {
    let _ = Trainer::<Model>::default().callbacks((EarlyStopping::new("val_loss"), 0.5));
}
