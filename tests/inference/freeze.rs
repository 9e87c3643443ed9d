//! `freeze` and `unfreeze`.

use crate::model::{Hparams, Model, inputs};
use tch_lightning::prelude::*;

#[test]
fn freeze_turns_gradients_off_and_unfreeze_on() {
    let mut model = Model::new(Hparams { width: 2, dropout: 0.0 }).unwrap();
    let buffers = |model: &Model| model.vs.variables()["norm.running_mean"].requires_grad();
    assert!(model.forward(&inputs()).requires_grad());
    model.freeze();
    assert!(!model.forward(&inputs()).requires_grad());
    assert!(model.vs.trainable_variables().iter().all(|parameter| !parameter.requires_grad()));
    model.unfreeze();
    assert!(model.vs.trainable_variables().iter().all(Tensor::requires_grad));
    assert!(!buffers(&model));
}
