//! The dtypes in hooks.

use crate::model::{Linear, Rows, config, loaders};
use crate::table::TABLE;
use tch_lightning::prelude::*;

/// Records the dtype in which each hook multiplies float32 matrices, and the dtypes of its batch.
struct Watching {
    vs: nn::VarStore,
    layer: nn::Linear,
    seen: Vec<(&'static str, Kind)>,
    batch: Vec<Kind>,
    grad: Option<f64>,
    loss: Option<f64>,
    scaled_loss: Option<f64>,
}

impl Watching {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 3, 2, nn::LinearConfig::default());
        let _count = vs.root().add("count", Tensor::from(3i64), false);
        let _norm = nn::batch_norm1d(vs.root() / "norm", 3, nn::BatchNormConfig::default());
        Self { vs, layer, seen: Vec::new(), batch: Vec::new(), grad: None, loss: None, scaled_loss: None }
    }

    fn note(&mut self, hook: &'static str) {
        let ones = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        self.seen.push((hook, ones.matmul(&ones).kind()));
    }
}

#[lightning_module]
impl Watching {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Tensor {
        self.note("training_step");
        self.batch = vec![batch.0.kind(), batch.1.kind()];
        let loss = self.layer.forward(&batch.0).sum(Kind::Float) * 0.25;
        self.loss = Some(loss.double_value(&[]));
        loss
    }

    fn validation_step(&mut self, batch: &Rows) {
        self.note("validation_step");
        assert_eq!(batch.1.kind(), Kind::Int64);
    }

    fn test_step(&mut self, batch: &Rows) {
        self.note("test_step");
        assert_eq!(batch.1.kind(), Kind::Int64);
    }

    fn predict_step(&mut self, batch: &Rows) -> Kind {
        self.note("predict_step");
        batch.0.kind()
    }

    fn on_before_backward(&mut self, loss: &Tensor) {
        self.note("on_before_backward");
        self.scaled_loss = Some(loss.double_value(&[]));
    }

    fn on_before_optimizer_step(&mut self) {
        self.note("on_before_optimizer_step");
        self.grad = Some(self.layer.bs.as_ref().unwrap().grad().double_value(&[0]));
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.0)
    }
}

fn data() -> DataLoader<Rows> {
    let rows = (Tensor::ones([2, 3], (Kind::Float, Device::Cpu)), Tensor::zeros([2], (Kind::Int64, Device::Cpu)));
    DataLoader::new(TensorDataset::new(rows).unwrap()).batch_size(2)
}

/// Runs all four verbs, with one batch each.
fn watched(precision: Precision) -> Watching {
    let mut module = Watching::new();
    let config = TrainerConfig { max_epochs: Some(1), num_sanity_val_steps: 0, ..config(precision) };
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut module, Loaders::train(data()).with_validation(data())).unwrap();
    trainer.test(&mut module, Loaders::evaluation(data())).unwrap();
    let kinds = trainer.predict(&mut module, Loaders::evaluation(data())).unwrap();
    assert_eq!(kinds, [module.batch[0]]);
    module
}

#[test]
fn autocast_is_limited_to_steps() {
    for (precision, kind) in [
        (Precision::BFloat16Mixed, Kind::BFloat16),
        (Precision::Float16Mixed, Kind::Half),
        (Precision::Float32True, Kind::Float),
    ] {
        let module = watched(precision);
        let expected = [
            ("training_step", kind),
            ("on_before_backward", Kind::Float),
            ("on_before_optimizer_step", Kind::Float),
            ("validation_step", kind),
            ("test_step", kind),
            ("predict_step", kind),
        ];
        assert_eq!(module.seen, expected, "{precision}");
        assert_eq!(module.batch, [Kind::Float, Kind::Int64]);
        assert!(module.vs.variables().values().all(|tensor| [Kind::Float, Kind::Int64].contains(&tensor.kind())));
    }
}

#[test]
fn true_precisions_convert_floating_point_tensors() {
    for (precision, kind) in [
        (Precision::Float64True, Kind::Double),
        (Precision::BFloat16True, Kind::BFloat16),
        (Precision::Float16True, Kind::Half),
    ] {
        let module = watched(precision);
        assert_eq!(module.batch, [kind, Kind::Int64]);
        for (name, tensor) in module.vs.variables() {
            assert_eq!(tensor.kind(), if name == "count" { Kind::Int64 } else { kind }, "{name}");
        }
        assert_eq!(module.layer.ws.kind(), kind, "the layer's own handle");
    }
}

#[test]
fn hooks_see_the_scaled_loss_and_the_unscaled_gradients() {
    let scaled = watched(Precision::Float16Mixed);
    let plain = watched(Precision::Float32True);
    // two rows with 0.25 each
    assert_eq!((scaled.grad, plain.grad), (Some(0.5), Some(0.5)));
    assert_eq!(scaled.scaled_loss, scaled.loss.map(|loss| loss * 65536.0));
    assert_eq!(plain.scaled_loss, plain.loss);
}

/// Steps the optimizer without the trainer.
struct Careless(Linear);

#[lightning_module(automatic_optimization = false)]
impl Careless {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<()> {
        let loss = self.0.loss(ctx, batch, batch_idx);
        ctx.manual_backward(self, &loss)?;
        past_trainer(ctx)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

/// In the block itself, this is a compile error.
fn past_trainer(ctx: &mut Context) -> Result<()> {
    Ok(ctx.optimizer(0).step()?)
}

#[test]
fn step_on_scaled_gradients_is_refused() {
    let mut module = Careless(Linear::new(&TABLE.trainings[0]));
    let fit = Trainer::new(config(Precision::Float16Mixed)).fit(&mut module, loaders());
    assert_eq!(
        fit.unwrap_err().to_string(),
        "`training_step` failed in `fit` at epoch 0, batch 0: SGD cannot step on gradients that are still scaled; call \
         `ctx.manual_step` in manual optimization, and in `optimizer_step` run the closure before the step"
    );
}

struct WithLbfgs(Linear);

#[lightning_module]
impl WithLbfgs {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.0.vs
    }

    fn training_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Tensor {
        self.0.loss(ctx, batch, batch_idx)
    }

    fn configure_optimizers(&self) -> Lbfgs {
        Lbfgs::new(1.0)
    }
}

#[test]
fn lbfgs_is_refused_if_the_loss_is_scaled() {
    let fit = |precision| {
        let mut module = WithLbfgs(Linear::new(&TABLE.trainings[0]));
        Trainer::new(config(precision)).fit(&mut module, loaders()).map_err(|error| error.to_string())
    };
    let said = fit(Precision::Float16Mixed).unwrap_err();
    assert!(
        said.starts_with("`precision` is 16-mixed, which scales gradients, but L-BFGS evaluates the loss"),
        "{said}"
    );
    assert_eq!(fit(Precision::Float32True), Ok(()));
}
