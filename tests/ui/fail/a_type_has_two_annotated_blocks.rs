use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        batch.mean(None)
    }
}

#[lightning_module]
impl Model {
    fn validation_step(&mut self, batch: &Tensor) {
        println!("{}", batch.mean(None));
    }
}

struct Data;

#[lightning_datamodule]
impl Data {
    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        bail!("no data")
    }
}

#[lightning_datamodule]
impl Data {
    fn setup(&mut self) {}
}

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_start(&mut self) {}
}

#[lightning_callback]
impl Watch {
    fn on_fit_end(&mut self) {}
}

fn main() {}
