use tch_lightning::prelude::*;

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

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_train_batch_end(&mut self, module: &mut Model, outputs: &Tensor) {
        println!("{} {outputs}", module.vs.len());
    }
}

fn main() -> Result<()> {
    let loader = DataLoader::new(TensorDataset::new(Tensor::from(1))?);
    let mut trainer = Trainer::new(TrainerConfig::default()).callback(Watch);
    Ok(trainer.fit(&mut Model::new(), tch_lightning::Loaders::train(loader))?)
}
