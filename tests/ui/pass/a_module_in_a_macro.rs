//! A module may come out of a macro, with parts from both sides.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

macro_rules! module {
    ($name:ident, $batch:ty, |$self:ident, $tensors:ident| $loss:expr) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn training_step(&mut $self, ctx: &mut Context, batch: &$batch) -> Tensor {
                let $tensors = batch;
                let loss = $loss;
                ctx.log("loss", &loss);
                loss
            }

            fn validation_step(&mut self, batch: &(Tensor, Tensor), batch_idx: usize) -> i64 {
                batch.0.size()[0] * i64::try_from(batch_idx).unwrap_or_default()
            }

            fn on_train_start(&mut self) {}
        }
    };
}

module!(Model, (Tensor, Tensor), |self, rows| rows.0.mse_loss(&rows.1, tch::Reduction::Mean));

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks(), [Hook::TrainingStep, Hook::ValidationStep, Hook::OnTrainStart]);
}
