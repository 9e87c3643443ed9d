use tch_lightning::prelude::*;

macro_rules! hooks {
    () => {
        fn on_fit_start(&mut self) {}
    };
}

macro_rules! helpers {
    () => {
        fn helper(&self) {}
    };
}

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    hooks!();

    #[not_a_hook]
    helpers!();

    #[cfg(any())]
    hooks!();
}

fn main() {}
