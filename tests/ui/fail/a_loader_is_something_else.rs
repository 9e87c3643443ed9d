use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.layer.forward(&batch.0).square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn pair() -> (Tensor, Tensor) {
    let numbers = || Tensor::ones([8, 4], (Kind::Float, Device::Cpu));
    (numbers(), numbers())
}

struct Listed;

#[lightning_datamodule]
impl Listed {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Vec<(Tensor, Tensor)> {
        vec![pair()]
    }
}

struct Borrowed {
    loader: DataLoader<(Tensor, Tensor)>,
}

#[lightning_datamodule]
impl Borrowed {
    fn new() -> Result<Self> {
        Ok(Self { loader: DataLoader::new(TensorDataset::new(pair())?) })
    }

    fn train_dataloader(&mut self) -> &DataLoader<(Tensor, Tensor)> {
        &self.loader
    }
}

struct Iterated;

#[lightning_datamodule]
impl Iterated {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Box<dyn Iterator<Item = (Tensor, Tensor)>> {
        Box::new(std::iter::repeat_with(pair))
    }
}

fn main() -> ExitCode {
    match std::env::args().count() {
        1 => Model::main::<Listed>(),
        2 => Model::main::<Borrowed>(),
        _ => Model::main::<Iterated>(),
    }
}
