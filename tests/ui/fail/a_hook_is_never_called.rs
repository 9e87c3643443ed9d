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

    fn configure_optimizers(&mut self) -> Result<AdamW> {
        Ok(AdamW::new(1e-3))
    }

    fn on_validation_epoch_end(&mut self) {}

    fn on_test_batch_start(&mut self, batch_idx: usize) {
        println!("{batch_idx}");
    }

    fn on_predict_end(&mut self) {}

    fn lr_scheduler_step(&mut self) {}
}

struct Evaluated {
    vs: nn::VarStore,
}

#[lightning_module]
impl Evaluated {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validaton_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_mean", batch.mean(None));
    }

    fn on_validation_epoch_end(&mut self) {}

    #[cfg(any())]
    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_mean", batch.mean(None));
    }

    fn on_test_epoch_end(&mut self) {}

    fn configure_optimizers(&mut self) -> ScheduledOptimizer {
        AdamW::new(1e-3).lr_scheduler(StepLr::new(10))
    }

    fn lr_scheduler_step(&mut self) {}
}

fn main() {}
