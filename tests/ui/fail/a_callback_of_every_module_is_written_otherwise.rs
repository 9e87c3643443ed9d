use tch_lightning::prelude::*;

struct Watch;

#[lightning_callback]
impl Watch {
    fn on_fit_start(&mut self, module: &mut dyn LightningModule) {
        let _ = module.parameters();
    }

    fn on_fit_end<M: LightningModule>(&mut self, pl_module: &mut M) {
        let _ = pl_module.parameters();
    }

    fn on_train_start<T: Logs>(&mut self, ctx: &mut Context<T>) {
        ctx.log("started", 1.0);
    }

    fn on_train_end(&mut self, trainer: &mut Trainer) {
        println!("{}", trainer.current_epoch);
    }
}

struct ByTrait;

#[lightning_callback]
impl<M: LightningModule> Callback<M> for ByTrait {
    fn on_fit_start(&mut self, module: &mut M) {
        let _ = module.parameters();
    }
}

fn main() {}
