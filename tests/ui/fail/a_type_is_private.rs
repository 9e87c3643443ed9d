pub mod models {
    use tch_lightning::prelude::*;

    #[derive(clap::Args, serde::Serialize, serde::Deserialize)]
    struct Hparams {
        #[arg(long, default_value_t = 1e-3)]
        lr: f64,
    }

    #[derive(Batch)]
    struct Rows {
        values: Tensor,
    }

    struct Output;

    pub struct Model {
        vs: nn::VarStore,
        lr: f64,
    }

    #[lightning_module]
    impl Model {
        pub fn new(hparams: Hparams) -> Self {
            Self { vs: nn::VarStore::new(Device::Cpu), lr: hparams.lr }
        }

        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        fn validation_step(&mut self, batch: &Rows) -> Output {
            println!("{} {}", batch.values.numel(), self.lr);
            Output
        }
    }
}

fn main() {}
