use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let _ = nn::linear(vs.root(), 2, 1, bias = False, seed = 3);
        Self { vs }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        ctx.log("train_loss", &loss, prog_bar = true);
        println!("{loss}", loss = loss);
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_loss", batch.mean(None), on_step = True, on_epoch = False);
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log(batch.mean(None));
    }

    fn configure_optimizers(&mut self) -> AdamW {
        AdamW::new(lr = 1e-3)
    }

    fn report(&self, ctx: &mut Context) {
        ctx.log("constant", 1.0, sync_dist = true);
    }
}

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1.0))?, batch_size = 32, shuffle = true))
    }
}

struct Data;

fn main() {}
