// The mistake is in the step: the callback that takes what it returns is right.
use tch_lightning::prelude::*;

struct Generic {
    vs: nn::VarStore,
}

#[lightning_module]
impl Generic {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step<B: Batch>(&mut self, batch: &B) -> Result<Tensor> {
        let _ = batch;
        bail!("no loss")
    }
}

struct OfGeneric;

#[lightning_callback]
impl OfGeneric {
    fn on_train_batch_end(&mut self, module: &mut Generic, outputs: &Tensor) {
        println!("{} {outputs:?}", module.vs.len());
    }
}

struct Hidden {
    vs: nn::VarStore,
}

#[lightning_module]
impl Hidden {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> impl Into<Tensor> {
        batch.mean(None)
    }
}

struct OfHidden;

#[lightning_callback]
impl OfHidden {
    fn on_train_batch_end(&mut self, module: &mut Hidden, outputs: &Tensor) {
        println!("{} {outputs:?}", module.vs.len());
    }
}

struct Untyped {
    vs: nn::VarStore,
}

#[lightning_module]
impl Untyped {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch) -> Result<Tensor> {
        batch.mean(None)
    }
}

struct OfUntyped;

#[lightning_callback]
impl OfUntyped {
    fn on_train_batch_end(&mut self, module: &mut Untyped, outputs: &Tensor) {
        println!("{} {outputs:?}", module.vs.len());
    }
}

fn main() {}
