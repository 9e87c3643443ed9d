use tch_lightning::prelude::*;

#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
struct Hparams {
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
}

struct Model {
    vs: nn::VarStore,
    lr: f64,
}

#[lightning_module]
impl Model {
    fn __init__(&mut self, hparams: Hparams) {
        self.vs = nn::VarStore::new(Device::Cpu);
        self.lr = hparams.lr;
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(self.lr)
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn __init__() -> Self {
        Self
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from(1))?))
    }
}

fn main() -> ExitCode {
    Model::main::<Data>()
}
