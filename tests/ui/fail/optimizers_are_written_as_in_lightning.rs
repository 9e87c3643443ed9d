use tch_lightning::prelude::*;

struct Scheduler {
    vs: nn::VarStore,
}

#[lightning_module]
impl Scheduler {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> StepLr {
        unimplemented!()
    }
}

struct Schedulers {
    vs: nn::VarStore,
}

#[lightning_module]
impl Schedulers {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (Vec<AdamW>, Vec<CosineAnnealingLr>) {
        unimplemented!()
    }
}

struct Swapped {
    vs: nn::VarStore,
}

#[lightning_module]
impl Swapped {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> (StepLr, AdamW) {
        unimplemented!()
    }
}

struct Perhaps {
    vs: nn::VarStore,
}

#[lightning_module]
impl Perhaps {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> Option<AdamW> {
        unimplemented!()
    }
}

struct Named {
    vs: nn::VarStore,
}

#[lightning_module]
impl Named {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> std::collections::HashMap<String, AdamW> {
        unimplemented!()
    }
}

struct OfTch {
    vs: nn::VarStore,
}

#[lightning_module]
impl OfTch {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> nn::Optimizer {
        unimplemented!()
    }
}

struct Array {
    vs: nn::VarStore,
}

#[lightning_module]
impl Array {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> [AdamW; 2] {
        unimplemented!()
    }
}

struct Nothing {
    vs: nn::VarStore,
}

#[lightning_module]
impl Nothing {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_optimizers(&mut self) -> () {
        unimplemented!()
    }
}

fn main() {}
