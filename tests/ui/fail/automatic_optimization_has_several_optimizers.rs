use tch_lightning::prelude::*;

macro_rules! models {
    ($($name:ident)*) => {$(
        struct $name {
            vs: nn::VarStore,
        }
    )*};
}

models!(Two Three Scheduled Failing Manual OneWithScheduler Several);

#[lightning_module]
impl Two {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (Adam, Sgd) {
        (Adam::new(1e-3), Sgd::new(0.1))
    }
}

#[lightning_module]
impl Three {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (Adam, AdamW, tch_lightning::optim::Muon) {
        unimplemented!()
    }
}

#[lightning_module]
impl Scheduled {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (ScheduledOptimizer, ScheduledOptimizer) {
        unimplemented!()
    }
}

#[lightning_module]
impl Failing {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> Result<(AdamW, AdamW)> {
        unimplemented!()
    }
}

#[lightning_module(automatic_optimization = false)]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (Adam, Sgd) {
        (Adam::new(1e-3), Sgd::new(0.1))
    }
}

#[lightning_module]
impl OneWithScheduler {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (Adam, StepLr) {
        (Adam::new(1e-3), StepLr::new(10))
    }
}

// the number of a `Vec` is known at run time
#[lightning_module]
impl Several {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> Vec<Adam> {
        vec![Adam::new(1e-3)]
    }
}

fn main() {}
