mod model {
    use clap::Args;
    use serde::{Deserialize, Serialize};
    use tch_lightning::prelude::*;

    pub struct Model {
        vs: nn::VarStore,
    }

    #[derive(Args, Serialize, Deserialize)]
    struct Hparams {
        #[arg(long, default_value_t = 1e-3)]
        lr: f64,
    }

    #[lightning_module]
    impl Model {
        pub fn new(hparams: Hparams) -> Self {
            println!("{}", hparams.lr);
            Self { vs: nn::VarStore::new(Device::Cpu) }
        }

        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }
    }
}

fn main() {
    println!("{}", std::any::type_name::<model::Model>());
}
