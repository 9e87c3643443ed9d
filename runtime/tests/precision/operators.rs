//! The libtorch operators of a step, by precision.

use crate::model::{Linear, Rows, config, loaders};
use crate::table::TABLE;
use std::collections::BTreeMap;
use tch_lightning::optim::Optimizer;
use tch_lightning::prelude::*;
use tch_lightning::profiler::count_operators;

/// Returns the number of operators of an additional epoch of two steps.
fn operators_of_two_steps(precision: Precision) -> BTreeMap<String, i64> {
    let operators = |max_epochs| {
        let mut trainer = Trainer::new(TrainerConfig { max_epochs: Some(max_epochs), ..config(precision) });
        let mut module = Silent(Linear::new(&TABLE.trainings[0]));
        let (outcome, counts) = count_operators(|| trainer.fit(&mut module, loaders()));
        outcome.unwrap();
        counts
    };
    let (fewer, more) = (operators(3), operators(4));
    let more = more.into_iter().map(|(name, count)| {
        let before = fewer.get(&name).copied().unwrap_or(0);
        (name, count as i64 - before as i64)
    });
    more.filter(|(_, count)| *count != 0).collect()
}

/// Returns the number of operators of the same two steps without a trainer.
fn operators_of_two_steps_by_hand() -> BTreeMap<String, i64> {
    let linear = Linear::new(&TABLE.trainings[0]);
    let parameters = linear.vs.variables().into_iter().collect();
    let mut optimizer = Optimizer::new(Sgd::new(0.1), parameters).unwrap();
    let ones = |columns| Tensor::ones([2, columns], (Kind::Float, Device::Cpu));
    let batch = (ones(3), ones(2));
    let ((), counts) = count_operators(|| {
        for _step in 0..2 {
            let loss = linear.loss_of(&batch);
            optimizer.zero_grad().unwrap();
            loss.backward();
            optimizer.step().unwrap();
        }
    });
    counts.into_iter().map(|(name, count)| (name, count as i64)).collect()
}

/// The model without records, which would synchronize with the device.
struct Silent(Linear);

#[lightning_module]
impl Silent {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Tensor {
        self.0.loss(ctx, batch, batch_idx)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

#[test]
fn float32_adds_no_operators() {
    let operators = operators_of_two_steps(Precision::Float32True);
    assert_eq!(operators["aten::_fused_sgd_"], 2, "{operators:?}");
    let by_hand = operators_of_two_steps_by_hand();
    let counts = |operators: &BTreeMap<String, i64>| {
        let of_precision = [
            "aten::to",
            "aten::_to_copy",
            "aten::mul",
            "aten::mul_",
            "aten::_foreach_mul_",
            "aten::_amp_update_scale_",
        ];
        of_precision.map(|name| operators.get(name).copied().unwrap_or(0))
    };
    assert_eq!(counts(&operators), counts(&by_hand), "{operators:?}\n{by_hand:?}");
    for precision in [Precision::BFloat16True, Precision::BFloat16Mixed, Precision::Float16Mixed] {
        assert_ne!(counts(&operators_of_two_steps(precision)), counts(&by_hand), "{precision}");
    }
}

#[test]
fn scaled_step_does_not_synchronize() {
    let operators = operators_of_two_steps(Precision::Float16Mixed);
    assert_eq!(operators["aten::_amp_update_scale_"], 2, "{operators:?}");
    assert_eq!(operators["aten::_fused_sgd_"], 2, "{operators:?}");
    assert_eq!(operators.get("aten::_local_scalar_dense"), None, "{operators:?}");
}
