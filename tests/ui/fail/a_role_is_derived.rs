use tch_lightning::prelude::*;

#[derive(LightningModule)]
struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
}

impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

#[derive(LightningDataModule)]
struct Data;

impl Data {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        let numbers = Tensor::ones([8, 4], (Kind::Float, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new(numbers)?).batch_size(2))
    }
}

#[derive(Callback)]
struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_start(&mut self) {}
}

fn main() -> ExitCode {
    Model::program::<Data>().callback(Watch).run()
}
