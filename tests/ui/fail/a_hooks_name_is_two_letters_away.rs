use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn setpu(&mut self) {}

    fn trainig_stp(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }

    fn configur_optimisers(&mut self) -> AdamW {
        AdamW::new(1e-3)
    }

    fn teadowm(&mut self) {}

    fn val_dataloder(&mut self) {}

    fn bakcwrad(&mut self) {}

    fn predict_setp(&mut self) {}

    fn prepar_dta(&mut self) {}

    fn test_iter(&self) {}

    fn step_size(&self) {}

    fn load_checkpoint(&self) {}
}

fn main() {}
