use tch_lightning::prelude::*;

struct Twice {
    vs: nn::VarStore,
}

#[lightning_module]
#[lightning_module]
impl Twice {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_start(&mut self) {}
}

struct OfBoth {
    vs: nn::VarStore,
}

#[lightning_datamodule]
#[lightning_module]
impl OfBoth {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn train_dataloader(&mut self) -> DataLoader<Tensor> {
        unimplemented!()
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

struct Watched {
    vs: nn::VarStore,
}

#[lightning_callback]
#[lightning_module]
impl Watched {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_fit_start(&mut self) {}
}

struct Trained {
    vs: nn::VarStore,
}

#[lightning_module]
#[lightning_callback]
impl Trained {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

fn main() {}
