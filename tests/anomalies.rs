//! `detect_anomaly`: the first gradient or parameter that is NaN or infinite is named.
//!
//! Apart from other tests, since autograd's anomaly mode holds for a whole process.

use std::sync::{Mutex, PoisonError};
use tch_lightning::prelude::*;
use tch_lightning::trainer::NonFiniteLoss;
use tests::faults::{Net, config};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn said(net: &mut Net) -> String {
    let detecting = TrainerConfig { detect_anomaly: true, ..config() };
    Trainer::new(detecting).fit(net, ()).unwrap_err().to_string()
}

#[test]
fn autograds_anomaly_mode_names_the_function_and_ends_with_the_run() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // the root's derivative at 0 is infinite, and 0 times it is NaN
    let root = |ctx: &mut tch_lightning::RunContext, loss: Tensor| {
        let root = (&loss * 0.0).sqrt() * 0.0;
        Ok(if ctx.batch_idx() == Some(3) { loss + root } else { loss })
    };
    let said = said(&mut Net::new(root));
    assert!(said.starts_with("`backward` failed in `fit` at epoch 0, batch 3: "), "{said}");
    assert!(said.ends_with("Function 'SqrtBackward0' returned nan values in its 0th output."), "{said}");
    let unwatched = TrainerConfig { on_non_finite_loss: NonFiniteLoss::Ignore, ..config() };
    Trainer::new(unwatched).fit(&mut Net::new(root), ()).unwrap();
}

#[test]
fn first_infinite_gradient_is_named() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // of batch 2, the loss is 0.86 and the bias's derivative -1.85: an infinity in f32, which is none of autograd's anomalies
    let large =
        |ctx: &mut tch_lightning::RunContext, loss| Ok(if ctx.batch_idx() == Some(2) { loss * 3e38 } else { loss });
    let said = said(&mut Net::new(large).optimizers(Sgd::new(0.0)));
    assert_eq!(said, "the gradient of `layer.bias` has a value that is NaN or infinite at epoch 0, batch 2");
}

#[test]
fn first_infinite_parameter_is_named() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut net = Net::new(|_, loss| Ok(loss)).optimizers(Sgd::new(1e39));
    assert_eq!(said(&mut net), "the parameter `layer.bias` has a value that is NaN or infinite at epoch 0, batch 0");
    let mut frozen = Net::new(|_, loss| Ok(loss)).optimizers(Sgd::new(1e39).over("layer.weight"));
    frozen.layer.bs = frozen.layer.bs.map(|bias| bias.set_requires_grad(false));
    assert_eq!(
        said(&mut frozen),
        "the parameter `layer.weight` has 2 NaN or infinities among its 2 elements at epoch 0, batch 0"
    );
}
