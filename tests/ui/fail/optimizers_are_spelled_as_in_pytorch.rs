use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::Linear,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::linear(vs.root() / "net", 4, 2, nn::LinearConfig::default());
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Tensor {
        self.net.forward(&batch.0).cross_entropy_for_logits(&batch.1)
    }

    fn configure_optimizers(&mut self) -> (SGD, CosineAnnealingLR) {
        let optimizer = SGD::new(0.1);
        (optimizer, CosineAnnealingLR::new(10))
    }
}

struct Watched {
    vs: nn::VarStore,
}

#[lightning_module]
impl Watched {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> Result<(Adam, ReduceLROnPlateau)> {
        Ok((Adam::new(1e-3), ReduceLROnPlateau::new()))
    }
}

fn main() {}
