//! Layers whose paths have the name of a store.

use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    net: nn::SequentialT,
}

#[lightning_module]
impl Model {
    fn new() -> Self {
        let store = nn::VarStore::new(Device::Cpu);
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = |vs: &nn::Path<'_>| nn::linear(vs, 4, 4, nn::LinearConfig::default());
        let net = nn::seq_t().add(layer(&(vs.root() / "first"))).add(nn::linear(
            store.root() / "second",
            4,
            1,
            nn::LinearConfig::default(),
        ));
        Self { vs, net }
    }

    fn wider() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let net = {
            let vs = vs.root() / "net";
            nn::seq_t().add(nn::linear(&vs, 4, 8, nn::LinearConfig::default()))
        };
        Self { vs, net }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn predict_step(&mut self, batch: &Tensor) -> Tensor {
        self.net.forward_t(batch, false)
    }
}
