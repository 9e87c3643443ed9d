use tch_lightning::prelude::*;

#[lightning_module]
struct Model {
    vs: nn::VarStore,
}

impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let loss = batch.mean(None);
        ctx.log("loss", &loss);
        loss
    }

    fn configure_optimizers(&self) -> AdamW {
        AdamW::new(1e-3)
    }
}

#[lightning_callback]
struct Watch;

impl Watch {
    fn on_train_start(&mut self) {
        println!("started");
    }
}

struct Data;

#[lightning_module]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1.0))?))
    }
}

fn main() -> ExitCode {
    Model::program::<Data>().callback(Watch).run()
}
