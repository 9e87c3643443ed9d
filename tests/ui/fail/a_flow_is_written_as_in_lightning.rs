use tch_lightning::prelude::*;

struct Minus {
    vs: nn::VarStore,
}

#[lightning_module]
impl Minus {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_batch_start(&mut self) -> i64 {
        unimplemented!()
    }
}

struct Bool {
    vs: nn::VarStore,
}

#[lightning_module]
impl Bool {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_batch_start(&mut self) -> bool {
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

    fn on_train_batch_start(&mut self) -> Option<i64> {
        unimplemented!()
    }
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn state_dict(&mut self) -> std::collections::HashMap<String, f64> {
        Default::default()
    }
}

fn main() {}
