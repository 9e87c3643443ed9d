use tch_lightning::prelude::*;

struct Manual {
    vs: nn::VarStore,
}

#[lightning_module]
impl Manual {
    const AUTOMATIC_OPTIMIZATION: bool = false;
    const WIDTH: i64 = 28;

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None) * Self::WIDTH
    }
}

struct Typed {
    vs: nn::VarStore,
}

#[lightning_module]
impl Typed {
    type Batch = Tensor;
    type Hparams = ();
    type ValidationOutput = f64;

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, batch: &Tensor) -> f64 {
        batch.double_value(&[])
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig { max_epochs: Some(3), ..TrainerConfig::default() }
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

fn main() {}
