mod model {
    use tch_lightning::prelude::*;

    pub struct Model {
        vs: nn::VarStore,
    }

    #[derive(Batch)]
    struct Rows {
        values: Tensor,
    }

    #[lightning_module]
    impl Model {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.vs
        }

        pub fn training_step(&mut self, batch: &Rows) -> Tensor {
            batch.values.mean(None)
        }
    }
}

fn main() {
    println!("{}", std::any::type_name::<model::Model>());
}
