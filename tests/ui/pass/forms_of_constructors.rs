//! The forms of the prelude's constructors that an error names: see `macros/src/prelude_constructors.rs`. And types of the same names, and
//! losses, of which none is a mistake.
use std::time::Duration;
use tch_lightning::callbacks::{BackboneFinetuning, ExponentialMovingAverage, LambdaCallback, Timer};
use tch_lightning::metrics::{
    Accuracy, ConfusionMatrix, F1Score, MeanAbsoluteError, MeanSquaredError, Metric, MetricCollection, Recall,
    Specificity,
};
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
        let target = {
            let _guard = tch::no_grad_guard();
            batch * 2.0
        };
        let penalty = tch::no_grad(|| batch.mean(None));
        let loss = (batch - target).mean(None);
        let _guard = tch::no_grad_guard();
        drop(penalty);
        loss
    }

    fn loader() -> Result<DataLoader<(Tensor, Tensor)>> {
        let (images, labels) = (Tensor::zeros([4, 2], (Kind::Float, Device::Cpu)), Tensor::from_slice(&[0, 1, 0, 1]));
        let dataset = TensorDataset::new((images, labels))?;
        Ok(DataLoader::new(dataset).batch_size(32).shuffle(true))
    }

    fn configure_optimizers(&mut self) -> Optimizers {
        if self.vs.is_empty() { Sgd::new(0.1).momentum(0.9).into() } else { AdamW::new(1e-3).weight_decay(0.01).into() }
    }

    fn optimizers() -> Vec<Optimizers> {
        vec![
            Adadelta::new(1.0).weight_decay(0.01).into(),
            Adafactor::new(1e-2).weight_decay(0.01).into(),
            Adagrad::new(1e-2).weight_decay(0.01).into(),
            Adam::new(1e-3).weight_decay(0.01).into(),
            Adamax::new(2e-3).weight_decay(0.01).into(),
            Lbfgs::new(1.0).max_iter(20).into(),
            Lion::new(1e-4).weight_decay(0.01).into(),
            Muon::new(1e-3).momentum(0.95).into(),
            NAdam::new(2e-3).weight_decay(0.01).into(),
            RAdam::new(1e-3).weight_decay(0.01).into(),
            RmsProp::new(1e-2).momentum(0.9).into(),
        ]
    }

    fn schedulers() -> Vec<LrSchedulerConfig> {
        vec![
            ConstantLr::default().factor(0.5).total_iters(5).into(),
            CosineAnnealingLr::new(100).eta_min(1e-6).into(),
            CosineAnnealingWarmRestarts::new(10).t_mult(2).into(),
            CyclicLr::new(1e-4, 1e-2).step_size_up(100).into(),
            ExponentialLr::new(0.95).into(),
            LambdaLr::new(|step| 0.95_f64.powf(step as f64)).into(),
            LinearLr::default().start_factor(0.1).total_iters(10).into(),
            MultiStepLr::new([30, 60]).gamma(0.1).into(),
            MultiplicativeLr::new(|_| 0.95).into(),
            OneCycleLr::new(0.1).total_steps(1000).into(),
            PolynomialLr::new(100).power(2.0).into(),
            ReduceLrOnPlateau::default().factor(0.1).patience(5).into(),
            StepLr::new(30).gamma(0.1).into(),
            SwaLr::new(0.05).anneal_epochs(5).into(),
        ]
    }

    fn configure_callbacks(&self) -> (BackboneFinetuning, EarlyStopping, ExponentialMovingAverage) {
        (
            BackboneFinetuning::new("backbone").unfreeze_backbone_at_epoch(5),
            EarlyStopping::new("val_loss").patience(3),
            ExponentialMovingAverage::new(0.999).update_every_n_steps(10),
        )
    }

    fn metrics() -> (MetricCollection, Vec<Box<dyn Metric>>) {
        let collection = MetricCollection::new().with("val_acc", Accuracy::multiclass(10));
        let metrics: Vec<Box<dyn Metric>> = vec![
            Box::new(Accuracy::multiclass(10)),
            Box::new(F1Score::multiclass(10)),
            Box::new(Recall::multiclass(10)),
            Box::new(Specificity::multiclass(10)),
            Box::new(ConfusionMatrix::multiclass(10)),
            Box::new(MeanSquaredError::new()),
            Box::new(MeanAbsoluteError::new()),
        ];
        (collection, metrics)
    }

    fn timer() -> Timer {
        Timer::new().duration(Duration::from_secs(720))
    }

    fn lambdas() -> LambdaCallback<Self> {
        LambdaCallback::new().on_train_end(|_, _| Ok(()))
    }

    fn others() -> (LearningRateMonitor, ModelCheckpoint) {
        (
            LearningRateMonitor::new().logging_interval(Interval::Step),
            ModelCheckpoint::new().monitor("val_loss").save_top_k(3),
        )
    }
}
