use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

mod training {
    use tch_lightning::prelude::*;

    impl super::Model {
        fn training_step(&mut self, batch: &Tensor) -> Tensor {
            batch.mean(None)
        }
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

mod preparation {
    use super::*;

    impl Data {
        fn setup(&mut self) {}
    }
}

mod watching {
    pub struct Watch;

    use tch_lightning::prelude::*;

    #[lightning_callback]
    impl Watch {
        fn on_fit_start(&mut self) {}
    }
}

fn main() {
    use watching::Watch as Watcher;

    impl Watcher {
        fn on_fit_end(&mut self) {}
    }
}
