//! Each verb takes the modules that have its hooks, and asks for no others.

use tch_lightning::Error;
use tch_lightning::prelude::*;

struct Evaluated {
    vs: nn::VarStore,
}

#[lightning_module]
impl Evaluated {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_mean", batch.mean(None));
    }

    fn test_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("test_mean", batch.mean(None));
    }

    fn predict_step(&mut self, batch: &Tensor) -> f64 {
        batch.double_value(&[0])
    }

    fn on_predict_epoch_end(&mut self, ctx: &mut Context, predictions: &[f64]) {
        ctx.print(format_args!("{predictions:?}"));
    }
}

#[test]
fn verbs_fail_at_run_time_if_data_is_missing() {
    let mut model = Evaluated { vs: nn::VarStore::new(Device::Cpu) };
    let mut trainer = Evaluated::trainer();
    assert!(matches!(trainer.validate(&mut model, ()), Err(Error::Missing { .. })));
    assert!(matches!(trainer.test(&mut model, ()), Err(Error::Missing { .. })));
    assert!(matches!(trainer.predict(&mut model, ()), Err(Error::Missing { .. })));
}
