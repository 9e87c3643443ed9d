//! Loaders, metrics and programs in the code around a module.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
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

    fn configure_optimizers(&mut self) -> (Adam, StepLr) {
        (Adam::new(1e-3), StepLr::new(3))
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0]))?))
    }
}

fn main() -> Result<()> {
    let loader = DataLoader::new(vec![1.0_f32, 2.0]);
    println!("{}", loader.len());
    let _first = loader.iter();
    let _other = loader.clone();
    let _loader = loader.batch_size(8).with_workers(4);
    let trainer = Model::trainer();
    println!("{}", trainer.callback_metrics()["loss"].item());
    let _scheduler = LrSchedulerConfig::new(StepLr::new(3));
    let _program = Model::program::<()>().trainer(TrainerConfig::default());
    Ok(())
}
