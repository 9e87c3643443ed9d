//! One `fit`, held against what PyTorch Lightning 2.6.6 did in the same one: every hook in order with its counters, the
//! logged rows, the metrics and the final weights. `fixtures/parity_fit.json` has the case and Lightning's trace.
#![allow(missing_docs)]

use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::optim::Optimizer;
use tch_lightning::prelude::*;
use tch_lightning::{Callback, Error, GradientClipAlgorithm, Logger, OptimizerIndex};

type Rows = (Tensor, Tensor);
type Events = Rc<RefCell<Vec<String>>>;

/// Writes an event down as the fixture has it: `hook stage=… batch_idx=… dataloader_idx=… @epoch:step`.
macro_rules! note {
    ($self:ident, $ctx:ident, $hook:expr $(, $key:ident)*) => {{
        let mut event = String::from($hook);
        $(event += &format!(concat!(" ", stringify!($key), "={}"), $key);)*
        event += &format!(" @{}:{}", $ctx.current_epoch(), $ctx.global_step());
        $self.events.borrow_mut().push(event);
    }};
}

struct Recorder {
    vs: nn::VarStore,
    layer: nn::Linear,
    events: Events,
}

const TRAIN: (i64, i64) = (0, 4);
const VALIDATION: (i64, i64) = (1000, 2);

impl Recorder {
    fn new(events: Events) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let mut layer = nn::linear(vs.root(), 4, 1, nn::LinearConfig::default());
        let weight: Vec<f32> = (0..4).map(|k| (f64::from(k + 1).sin() / 2.0) as f32).collect();
        tch::no_grad(|| {
            layer.ws.copy_(&Tensor::from_slice(&weight).view([1, 4]));
            let _ = layer.bs.as_mut().map(|bias| bias.zero_());
        });
        Self { vs, layer, events }
    }

    fn loss(&self, (x, y): &Rows) -> Tensor {
        self.layer.forward(x).mse_loss(y, tch::Reduction::Mean)
    }
}

/// Batch `b` has the rows `n = offset + 2b + {1, 2}`: `x[j] = sin(0.1 n (j+1))`, `y = cos(0.3 n)`.
fn loader((offset, batches): (i64, i64)) -> DataLoader<Rows> {
    let n = Tensor::arange_start(offset + 1, offset + 2 * batches + 1, (Kind::Double, Device::Cpu)).unsqueeze(1);
    let j = Tensor::arange_start(1, 5, (Kind::Double, Device::Cpu)).unsqueeze(0);
    let x = (&n * j * 0.1).sin().to_kind(Kind::Float);
    let y = (n * 0.3).cos().to_kind(Kind::Float);
    DataLoader::new(TensorDataset::new((x, y)).unwrap()).batch_size(2)
}

#[lightning_module]
impl Recorder {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Tensor {
        note!(self, ctx, "training_step", batch_idx);
        let loss = self.loss(batch);
        ctx.log("train_loss", &loss).on_step(true).on_epoch(true);
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize, dataloader_idx: usize) {
        note!(self, ctx, "validation_step", batch_idx, dataloader_idx);
        ctx.log("val_loss", self.loss(batch));
    }

    fn configure_optimizers(&mut self, ctx: &mut Context) -> Sgd {
        note!(self, ctx, "configure_optimizers");
        Sgd::new(0.1)
    }

    fn configure_callbacks(&mut self, ctx: &mut Context) -> Vec<Box<dyn Callback<Self>>> {
        note!(self, ctx, "configure_callbacks");
        Vec::new()
    }

    fn prepare_data(&mut self, ctx: &mut Context) {
        note!(self, ctx, "prepare_data");
    }

    fn setup(&mut self, ctx: &mut Context, stage: Stage) {
        note!(self, ctx, "setup", stage);
    }

    fn teardown(&mut self, ctx: &mut Context, stage: Stage) {
        note!(self, ctx, "teardown", stage);
    }

    fn train_dataloader(&mut self, ctx: &mut Context) -> DataLoader<Rows> {
        note!(self, ctx, "train_dataloader");
        loader(TRAIN)
    }

    fn val_dataloader(&mut self, ctx: &mut Context) -> DataLoader<Rows> {
        note!(self, ctx, "val_dataloader");
        loader(VALIDATION)
    }

    fn on_fit_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_fit_start");
    }

    fn on_fit_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_fit_end");
    }

    fn on_train_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_train_start");
    }

    fn on_train_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_train_end");
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_train_epoch_start");
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_train_epoch_end");
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context, batch_idx: usize) -> Flow {
        note!(self, ctx, "on_train_batch_start", batch_idx);
        Flow::Continue
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context, batch_idx: usize, outputs: &Tensor) {
        assert_eq!(outputs.numel(), 1);
        note!(self, ctx, "on_train_batch_end", batch_idx);
    }

    fn on_validation_model_eval(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_validation_model_eval");
    }

    fn on_validation_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_validation_start");
    }

    fn on_validation_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_validation_end");
    }

    fn on_validation_epoch_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_validation_epoch_start");
    }

    fn on_validation_epoch_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_validation_epoch_end");
    }

    fn on_validation_batch_start(&mut self, dataloader_idx: usize, batch_idx: usize, ctx: &mut Context) {
        note!(self, ctx, "on_validation_batch_start", batch_idx, dataloader_idx);
    }

    fn on_validation_batch_end(&mut self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        note!(self, ctx, "on_validation_batch_end", batch_idx, dataloader_idx);
    }

    fn on_before_batch_transfer(&mut self, ctx: &mut Context, batch: Rows, dataloader_idx: usize) -> Rows {
        note!(self, ctx, "on_before_batch_transfer", dataloader_idx);
        batch
    }

    fn transfer_batch_to_device(
        &mut self,
        ctx: &mut Context,
        batch: Rows,
        device: Device,
        dataloader_idx: usize,
    ) -> Result<Rows> {
        note!(self, ctx, "transfer_batch_to_device", dataloader_idx);
        Ok(batch.to_device(device)?)
    }

    fn on_after_batch_transfer(&mut self, ctx: &mut Context, batch: Rows, dataloader_idx: usize) -> Rows {
        note!(self, ctx, "on_after_batch_transfer", dataloader_idx);
        batch
    }

    fn optimizer_step(
        &mut self,
        ctx: &mut Context,
        batch_idx: usize,
        optimizer: OptimizerIndex,
        closure: &mut StepClosure<'_, Self>,
    ) -> Result<()> {
        note!(self, ctx, "optimizer_step", batch_idx);
        closure.run(self, ctx)?;
        Ok(ctx.optimizer(optimizer).step()?)
    }

    fn optimizer_zero_grad(&mut self, ctx: &mut Context, batch_idx: usize, optimizer: OptimizerIndex) -> Result<()> {
        note!(self, ctx, "optimizer_zero_grad", batch_idx);
        Ok(ctx.optimizer(optimizer).zero_grad()?)
    }

    fn backward(&mut self, ctx: &mut Context, loss: &Tensor) -> Result<()> {
        note!(self, ctx, "backward");
        Ok(loss.f_backward()?)
    }

    fn configure_gradient_clipping(
        &mut self,
        ctx: &mut Context,
        gradient_clip_val: Option<f64>,
        gradient_clip_algorithm: GradientClipAlgorithm,
    ) {
        assert_eq!((gradient_clip_val, gradient_clip_algorithm), (None, GradientClipAlgorithm::Norm));
        note!(self, ctx, "configure_gradient_clipping");
    }

    fn on_before_zero_grad(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_before_zero_grad");
    }

    fn on_before_backward(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_before_backward");
    }

    fn on_after_backward(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_after_backward");
    }

    fn on_before_optimizer_step(&mut self, ctx: &mut Context) {
        note!(self, ctx, "on_before_optimizer_step");
    }
}

struct Watch {
    events: Events,
}

#[lightning_callback]
impl Watch {
    fn setup(&mut self, ctx: &mut Context, stage: Stage) {
        note!(self, ctx, "callback.setup", stage);
    }

    fn teardown(&mut self, ctx: &mut Context, stage: Stage) {
        note!(self, ctx, "callback.teardown", stage);
    }

    fn on_fit_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_fit_start");
    }

    fn on_fit_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_fit_end");
    }

    fn on_sanity_check_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_sanity_check_start");
    }

    fn on_sanity_check_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_sanity_check_end");
    }

    fn on_train_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_train_start");
    }

    fn on_train_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_train_end");
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_train_epoch_start");
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_train_epoch_end");
    }

    fn on_validation_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_validation_start");
    }

    fn on_validation_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_validation_end");
    }

    fn on_validation_epoch_start(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_validation_epoch_start");
    }

    fn on_validation_epoch_end(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_validation_epoch_end");
    }

    fn on_before_zero_grad(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_before_zero_grad");
    }

    fn on_before_backward(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_before_backward");
    }

    fn on_after_backward(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_after_backward");
    }

    fn on_before_optimizer_step(&mut self, ctx: &mut Context) {
        note!(self, ctx, "callback.on_before_optimizer_step");
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context, batch_idx: usize) {
        note!(self, ctx, "callback.on_train_batch_start", batch_idx);
    }

    fn on_train_batch_end(&mut self, ctx: &mut Context, batch_idx: usize) {
        note!(self, ctx, "callback.on_train_batch_end", batch_idx);
    }

    fn on_validation_batch_start(&mut self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        note!(self, ctx, "callback.on_validation_batch_start", batch_idx, dataloader_idx);
    }

    fn on_validation_batch_end(&mut self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        note!(self, ctx, "callback.on_validation_batch_end", batch_idx, dataloader_idx);
    }
}

#[derive(Clone, Default)]
struct Logged(Rc<RefCell<Vec<Value>>>);

impl Logger for Logged {
    fn log_metrics(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error> {
        let mut row = json!({ "step": step });
        for (name, value) in metrics {
            row[name] = json!(value);
        }
        self.0.borrow_mut().push(row);
        Ok(())
    }
}

#[test]
fn one_fit_is_lightnings() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/parity_fit.json")).unwrap();
    let expected = &fixture["trace"];
    let config = TrainerConfig {
        max_epochs: fixture["case"]["trainer"]["max_epochs"].as_u64().map(|epochs| epochs as usize),
        enable_progress_bar: false,
        enable_model_summary: false,
        enable_checkpointing: false,
        ..TrainerConfig::default()
    };
    let (events, logged) = (Events::default(), Logged::default());
    let mut module = Recorder::new(events.clone());
    let mut trainer = Trainer::new(config).callback(Watch { events: events.clone() }).logger(logged.clone());
    trainer.fit(&mut module, ()).unwrap();

    let expected_events: Vec<&str> = expected["events"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let events = events.borrow();
    for (number, (expected, event)) in expected_events.iter().zip(events.iter()).enumerate() {
        assert_eq!(event, expected, "event {number}");
    }
    assert_eq!(events.len(), expected_events.len());

    let context = trainer.context();
    let weight: Vec<f64> = Vec::try_from(module.layer.ws.to_kind(Kind::Double).flatten(0, -1)).unwrap();
    let bias: Vec<f64> = Vec::try_from(module.layer.bs.as_ref().unwrap().to_kind(Kind::Double)).unwrap();
    assert_near(&json!(context.current_epoch()), &expected["epoch"], "epoch");
    assert_near(&json!(context.global_step()), &expected["step"], "step");
    assert_near(&json!(weight), &expected["weight"], "weight");
    assert_near(&json!(bias), &expected["bias"], "bias");
    assert_near(&json!(context.callback_metrics()), &expected["metrics"], "metrics");
    assert_near(&json!(*logged.0.borrow()), &expected["logged"], "logged");
    assert_near(&json!(learning_rates(&trainer)), &expected["lr"], "lr");
}

fn learning_rates(trainer: &Trainer<Recorder>) -> Vec<f64> {
    trainer.context().optimizers().iter().map(Optimizer::lr).collect()
}

/// Equal in form, and in numbers within the tolerance of the shared comparison: 1e-4 relative or 1e-5 absolute.
fn assert_near(actual: &Value, expected: &Value, at: &str) {
    match (actual, expected) {
        (Value::Number(actual), Value::Number(expected)) => {
            let (actual, expected) = (actual.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((actual - expected).abs() <= 1e-5 + 1e-4 * expected.abs(), "{at}: {actual}, not {expected}");
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{at}: {actual:?}");
            actual.iter().zip(expected).enumerate().for_each(|(n, (a, e))| assert_near(a, e, &format!("{at}[{n}]")));
        }
        (Value::Object(actual), Value::Object(expected)) => {
            assert_eq!(actual.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{at}");
            expected.iter().for_each(|(key, e)| assert_near(&actual[key], e, &format!("{at}.{key}")));
        }
        _ => assert_eq!(actual, expected, "{at}"),
    }
}
