use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    seen: usize,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_save_checkpoint(&mut self, checkpoint: &mut Checkpoint) {
        checkpoint["seen"] = self.seen;
    }

    fn on_load_checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.seen = checkpoint["seen"];
    }
}

fn main() {}
