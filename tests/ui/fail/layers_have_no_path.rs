use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::SequentialT,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = nn::seq_t().add(nn::linear(784, 128)).add(nn::linear(&vs, 128, 10, Default::default()));
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&mut self, batch: &Tensor) -> Tensor {
        self.net.forward_t(batch, false)
    }
}

fn main() {}
