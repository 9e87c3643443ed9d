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

struct Named;

#[lightning_callback]
impl Named {
    fn on_fit_start<M: LightningModule>(&mut self, module: &mut M) {
        println!("{}", module.parameters().len());
    }

    fn on_train_epoch_end(&mut self, module: &mut Model) {
        println!("{}", module.vs.len());
    }
}

struct Hidden;

#[lightning_callback]
impl Hidden {
    fn on_fit_start(&mut self, module: &mut impl LightningModule) {
        println!("{}", module.parameters().len());
    }

    fn on_train_epoch_end(&mut self, module: &mut Model) {
        println!("{}", module.vs.len());
    }
}

fn main() {
    let _trainer: Trainer<Model> = Model::trainer().callback(Named).callback(Hidden);
}
