use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn fit_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn eval_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_mean", batch.mean(None));
    }

    fn optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }

    fn callbacks(&self) -> ModelCheckpoint {
        ModelCheckpoint::new()
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_loader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }

    fn validation_data(&mut self) -> Vec<DataLoader<Tensor>> {
        Vec::new()
    }

    fn get_test_loader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }

    fn predict_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.prediction_loader()
    }

    fn prediction_loader(&mut self) -> Result<DataLoader<Tensor>> {
        self.loader()
    }

    fn loader(&self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

fn main() {}
