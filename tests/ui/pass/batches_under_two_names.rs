//! Hooks may call the type of their batches by different names.

use tch_lightning::prelude::*;

type Rows = (Tensor, Tensor);

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Tensor {
        batch.0.mse_loss(&batch.1, tch::Reduction::Mean)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, tch::Tensor)) {
        ctx.log("mean", batch.0.mean(None));
    }

    fn on_train_batch_start<'a>(&mut self, batch: &'a (Tensor, Tensor)) {
        println!("{batch:?}");
    }

    fn on_before_batch_transfer(&mut self, batch: (Tensor, Tensor)) -> Rows {
        batch
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        bail!("no data")
    }

    fn val_dataloader(&mut self) -> Vec<DataLoader<(tch::Tensor, Tensor)>> {
        Vec::new()
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 6);
}
