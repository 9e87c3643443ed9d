//! What a training step may return: a loss, perhaps none, more than a loss, or a `Result` of any of them.

use tch_lightning::module::TrainingOutput;
use tch_lightning::prelude::*;

struct Outputs {
    loss: Tensor,
    correct: i64,
}

impl TrainingOutput for Outputs {
    fn loss(&self) -> Option<&Tensor> {
        Some(&self.loss)
    }
}

macro_rules! returning {
    ($name:ident, $output:ty, $value:expr) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn training_step(&mut self) -> $output {
                $value
            }
        }
    };
}

returning!(Loss, Tensor, Tensor::from(1.0));
returning!(Perhaps, Option<Tensor>, None);
returning!(More, Outputs, Outputs { loss: Tensor::from(1.0), correct: 3 });
returning!(LossOrError, Result<Tensor>, Ok(Tensor::from(1.0)));
returning!(PerhapsOrError, Result<Option<Tensor>>, Ok(None));
returning!(MoreOrError, anyhow::Result<Outputs>, bail!("none"));
returning!(LossOrTorchsError, Result<Tensor, tch::TchError>, Tensor::from(1.0).f_neg());

struct Watched {
    vs: nn::VarStore,
    correct: i64,
}

#[lightning_module]
impl Watched {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self) -> Result<Outputs> {
        Ok(Outputs { loss: Tensor::from(1.0), correct: 3 })
    }

    fn on_train_batch_end(&mut self, outputs: &Outputs) {
        self.correct += outputs.correct;
    }
}

#[test]
fn returned_types_are_training_steps() {
    let all = [Loss::hooks(), Perhaps::hooks(), More::hooks()];
    let or_error = [LossOrError::hooks(), PerhapsOrError::hooks(), MoreOrError::hooks(), LossOrTorchsError::hooks()];
    assert!(all.iter().chain(&or_error).all(|hooks| *hooks == [tch_lightning::Hook::TrainingStep]));
    assert_eq!(Watched::hooks().len(), 2);
}
