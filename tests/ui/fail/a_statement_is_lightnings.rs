use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        ctx.log("train_loss", &loss, prog_bar = true, on_epoch = true);
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        if batch.numel() > 3 {
            ctx.log("val_loss", batch.mean(None), sync_dist = ctx.world_size() > 1);
        }
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("test_loss", batch.mean(None), rank_zero_only = true);
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context, batch_idx: usize) {
        if batch_idx == 10 {
            ctx.should_stop = true;
        }
    }
}

fn main() {}
