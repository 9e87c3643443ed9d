use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    async fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers() -> AdamW {
        AdamW::new(1e-3)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self, stage: usize) -> Result<DataLoader<Tensor>> {
        bail!("no data for {stage}")
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
