use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: Context, batch: &Tensor, batch_idx: i64) -> Tensor {
        println!("batch {batch_idx} of epoch {}", ctx.current_epoch());
        batch.mean(None)
    }

    fn on_save_checkpoint(&mut self, checkpoint: &mut String) {
        checkpoint.clear();
    }
}

fn main() {}
