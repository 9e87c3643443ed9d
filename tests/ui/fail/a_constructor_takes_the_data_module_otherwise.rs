use tch_lightning::prelude::*;

struct Named {
    vs: nn::VarStore,
}

#[lightning_module]
impl Named {
    fn new(datamodule: &Data) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        vs.root().zeros("weight", &[datamodule.width]);
        Self { vs }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Owned {
    vs: nn::VarStore,
}

#[lightning_module]
impl Owned {
    fn new(data: Data) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        vs.root().zeros("weight", &[data.width]);
        Self { vs }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct OfDevice {
    vs: nn::VarStore,
}

#[lightning_module]
impl OfDevice {
    fn new(device: Device) -> Self {
        Self { vs: nn::VarStore::new(device) }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.square().mean(Kind::Float)
    }

    fn configure_optimizers(&mut self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Data {
    width: i64,
}

#[lightning_datamodule]
impl Data {
    fn new() -> Self {
        Self { width: 4 }
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        let numbers = Tensor::ones([8, self.width], (Kind::Float, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new(numbers)?))
    }
}

fn main() -> ExitCode {
    match std::env::args().count() {
        1 => Named::main::<Data>(),
        2 => Owned::main::<Data>(),
        _ => OfDevice::main::<Data>(),
    }
}
