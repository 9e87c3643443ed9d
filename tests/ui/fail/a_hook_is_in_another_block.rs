use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

impl Model {
    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_loss", batch.mean(None));
    }
}

struct Data;

impl Data {
    fn setup(&mut self) {}
}

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_start(&mut self) {}
}

impl Watch {
    fn on_train_epoch_end(&mut self) {}
}

fn main() {}
