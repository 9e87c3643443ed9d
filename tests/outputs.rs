//! What `on_train_batch_end` gets of a training step: its output, whose loss has no graph any more.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, callbacks::LambdaCallback, module::TrainingOutput};

type Kept = Rc<RefCell<Vec<Tensor>>>;

fn layer() -> (nn::VarStore, nn::Linear) {
    let vs = nn::VarStore::new(Device::Cpu);
    let config = nn::LinearConfig { ws_init: nn::Init::Const(0.5), bs_init: None, bias: false };
    let layer = nn::linear(vs.root(), 1, 1, config);
    (vs, layer)
}

fn config() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(1),
        enable_checkpointing: false,
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        ..TrainerConfig::default()
    }
}

fn rows() -> DataLoader<Tensor> {
    DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0f32, 2.0, 3.0]).unsqueeze(1)).unwrap())
}

/// Losses and predictions, both with their graphs.
struct Outputs {
    loss: Tensor,
    predictions: Tensor,
}

impl TrainingOutput for Outputs {
    fn loss(&self) -> Option<&Tensor> {
        Some(&self.loss)
    }
}

/// The same, and it says what else has a graph.
struct Detached(Outputs);

impl TrainingOutput for Detached {
    fn loss(&self) -> Option<&Tensor> {
        self.0.loss()
    }

    fn detach(&mut self) {
        self.0.detach();
        self.0.predictions = self.0.predictions.detach();
    }
}

/// A module whose training step returns its squares in one form or another, and that keeps handles with their graphs.
macro_rules! squares {
    ($module:ident, $output:ty, $automatic:literal, $make:expr) => {
        struct $module {
            vs: nn::VarStore,
            layer: nn::Linear,
            with_graph: Kept,
        }

        #[lightning_module(automatic_optimization = $automatic)]
        impl $module {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn training_step(&mut self, batch: &Tensor) -> $output {
                let predictions = self.layer.forward(batch);
                let loss = predictions.square().sum(Kind::Float);
                self.with_graph.borrow_mut().push(loss.shallow_clone());
                ($make)(loss, predictions)
            }

            fn on_train_batch_end(&mut self, outputs: &$output) {
                assert!(outputs.loss().is_none_or(|loss| !loss.requires_grad()));
            }

            fn configure_optimizers(&self) -> Sgd {
                Sgd::new(0.0)
            }
        }
    };
}

squares!(OfTensor, Tensor, true, |loss, _| loss);
squares!(OfOption, Option<Tensor>, true, |loss, _| Some(loss));
squares!(OfOutputs, Outputs, true, |loss, predictions| Outputs { loss, predictions });
squares!(OfDetached, Detached, true, |loss, predictions| Detached(Outputs { loss, predictions }));
squares!(OfManual, Tensor, false, |loss, _| loss);
squares!(OfNothing, (), false, |_, _| ());

/// Trains, with a callback that keeps what `kept` takes of each output.
macro_rules! fit {
    ($module:ident, $kept:expr) => {{
        let (vs, layer) = layer();
        let (with_graph, kept) = (Kept::default(), Kept::default());
        let of_callback = Rc::clone(&kept);
        let keep = LambdaCallback::new().on_train_batch_end(move |_, _: &mut $module, outputs, _, _| {
            of_callback.borrow_mut().extend(($kept)(outputs));
            Ok(())
        });
        let mut module = $module { vs, layer, with_graph: Rc::clone(&with_graph) };
        Trainer::new(config()).callback(keep).fit(&mut module, Loaders::train(rows())).unwrap();
        // only the output's own handle has lost the graph
        assert!(with_graph.borrow().iter().all(Tensor::requires_grad));
        kept.take()
    }};
}

fn numbers(kept: &[Tensor]) -> Vec<f64> {
    kept.iter().map(|tensor| tensor.double_value(&[])).collect()
}

#[test]
fn kept_output_keeps_no_graph() {
    // (0.5·x)²
    let losses = [0.25, 1.0, 2.25];
    let one = |loss: Option<&Tensor>| loss.map(Tensor::shallow_clone);
    for kept in [
        fit!(OfTensor, |outputs: &Tensor| one(Some(outputs))),
        fit!(OfOption, |outputs: &Option<Tensor>| one(outputs.as_ref())),
        fit!(OfOutputs, |outputs: &Outputs| one(outputs.loss())),
        fit!(OfDetached, |outputs: &Detached| one(outputs.loss())),
        fit!(OfManual, |outputs: &Tensor| one(Some(outputs))),
    ] {
        assert_eq!(numbers(&kept), losses);
        assert!(kept.iter().all(|loss| !loss.requires_grad()));
    }
}

#[test]
fn step_of_manual_optimization_may_return_nothing() {
    assert!(fit!(OfNothing, |outputs: &()| outputs.loss().map(Tensor::shallow_clone)).is_empty());
}

#[test]
fn type_can_declare_further_tensors_with_a_graph() {
    let of_type = fit!(OfDetached, |outputs: &Detached| [outputs.0.predictions.shallow_clone()]);
    assert_eq!((numbers(&of_type), of_type[0].requires_grad()), (vec![0.5, 1.0, 1.5], false));
    let by_default = fit!(OfOutputs, |outputs: &Outputs| [outputs.predictions.shallow_clone()]);
    assert_eq!((numbers(&by_default), by_default[0].requires_grad()), (vec![0.5, 1.0, 1.5], true));
}
