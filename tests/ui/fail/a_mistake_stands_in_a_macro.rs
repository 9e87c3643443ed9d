use tch_lightning::prelude::*;

macro_rules! module {
    ($name:ident, $hook:ident) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn $hook(&mut self) {}
        }
    };
}

module!(Model, on_train_epoch_strat);

fn main() {}
