use tch_lightning::prelude::*;

struct Perceptron {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Perceptron {
    fn new() -> Self {
        self.vs = nn::VarStore::new(Device::Cpu);
        self.net = nn::linear(self.vs.root(), 4, 2, nn::LinearConfig::default());
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.net.forward(batch).mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Autoencoder {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Autoencoder {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = self.build(&vs);
        Self { vs, net }
    }

    fn build(vs: &nn::VarStore) -> nn::Linear {
        nn::linear(vs.root(), 4, 2, nn::LinearConfig::default())
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.net.forward(batch).mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

struct Regression {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Regression {
    fn new() -> Self {
        self.save_hyperparameters();
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.net.forward(batch).mean(None)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

fn main() {}
