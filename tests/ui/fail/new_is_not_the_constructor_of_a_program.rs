use tch_lightning::prelude::*;

struct Data;

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn new(learning_rate: f64, layers: usize) -> Self {
        println!("{layers} layers, a learning rate of {learning_rate}");
        Self { vs: nn::VarStore::new(Device::Cpu) }
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
