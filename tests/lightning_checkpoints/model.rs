//! The module of lightning.py.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use tch_lightning::callbacks::{EarlyStopping, ModelCheckpoint};
use tch_lightning::prelude::*;
use tch_lightning::schedule::{LinearLr, SequentialLr};

#[derive(clap::Args, Clone, Serialize, Deserialize)]
pub struct Hparams {
    #[arg(long, default_value = "sgd")]
    pub optimizer: String,
    #[arg(long, default_value_t = 0.1)]
    pub lr: f64,
}

impl Hparams {
    pub fn of(optimizer: &str) -> Self {
        let lr = if ["adamw", "groups"].contains(&optimizer) { 0.02 } else { 0.1 };
        Self { optimizer: optimizer.to_owned(), lr }
    }
}

pub struct Model {
    vs: nn::VarStore,
    linear: nn::Linear,
    norm: nn::BatchNorm,
    head: nn::Linear,
    hparams: Hparams,
}

/// The parameters in the order of the module in Python.
const PARAMETERS: [&str; 6] =
    ["body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias", "head.weight", "head.bias"];

#[lightning_module]
impl Model {
    pub fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let body = vs.root() / "body";
        let linear = nn::linear(&body / "0", 4, 8, nn::LinearConfig::default());
        let norm = nn::batch_norm1d(&body / "2", 8, nn::BatchNormConfig::default());
        let head = nn::linear(vs.root() / "head", 8, 1, nn::LinearConfig::default());
        let variables = vs.variables();
        for (index, name) in PARAMETERS.into_iter().enumerate() {
            let mut parameter = variables[name].shallow_clone();
            let values = Tensor::arange(parameter.numel() as i64, (Kind::Double, Device::Cpu));
            let values = ((values * 0.7 + index as f64).sin() * 0.4).reshape(parameter.size());
            tch::no_grad(|| parameter.copy_(&values));
        }
        Self { vs, linear, norm, head, hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Tensor {
        let loss = self.loss(batch, true);
        ctx.log("train_loss", &loss);
        loss
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) {
        ctx.log("val_loss", self.loss(batch, false));
    }

    fn configure_optimizers(&self) -> Result<Optimizers> {
        let lr = self.hparams.lr;
        Ok(match self.hparams.optimizer.as_str() {
            "sgd" => Sgd::new(lr).momentum(0.9).into(),
            "adamw" => {
                let schedule = LrSchedulerConfig::from(CosineAnnealingLr::new(60)).interval(Interval::Step);
                AdamW::new(lr).weight_decay(0.05).lr_scheduler(schedule).into()
            }
            "groups" => {
                let adamw = AdamW::new(lr).weight_decay(0.1);
                let groups = ParameterGroups::new(adamw).group("{**.bias,body.2.weight}", adamw.weight_decay(0.0));
                let warm_up = LinearLr::default().start_factor(0.1).total_iters(4);
                let schedule = SequentialLr::warm_up(warm_up, StepLr::new(7).gamma(0.5));
                groups.lr_scheduler(LrSchedulerConfig::from(schedule).interval(Interval::Step)).into()
            }
            "adafactor" => Adafactor::new(lr).into(),
            "lbfgs" => Lbfgs::new(lr).into(),
            "plateau" => {
                let schedule = ReduceLrOnPlateau::default().factor(0.5).patience(0);
                Sgd::new(lr).momentum(0.9).lr_scheduler(LrSchedulerConfig::from(schedule).monitor("val_loss")).into()
            }
            other => bail!("no optimizer {other}"),
        })
    }

    fn loss(&self, (inputs, targets): &(Tensor, Tensor), train: bool) -> Tensor {
        let hidden = self.linear.forward(inputs).tanh().apply_t(&self.norm, train);
        self.head.forward(&hidden).mse_loss(targets, tch::Reduction::Mean)
    }

    /// Runs a command of the generated program. Returns whether it succeeded.
    pub fn command<'a>(arguments: impl IntoIterator<Item = &'a str>) -> bool {
        Self::program::<Data>().arguments(["model"].into_iter().chain(arguments)).run() == ExitCode::SUCCESS
    }

    pub fn loaded(path: &Path) -> Outcome {
        let mut model = Self::load_from_checkpoint(path).unwrap();
        Outcome { weights: weights(model.parameters()), ..Outcome::default() }
    }
}

pub struct Data;

#[lightning_datamodule]
impl Data {
    pub fn new() -> Self {
        Self
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        Ok(DataLoader::new(TensorDataset::new(rows(36, 0.0))?).batch_size(8))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
        Ok(DataLoader::new(TensorDataset::new(rows(20, 0.5))?).batch_size(8))
    }
}

fn rows(rows: i64, offset: f64) -> (Tensor, Tensor) {
    let values = Tensor::arange(rows * 4, (Kind::Double, Device::Cpu)).reshape([rows, 4]);
    let inputs = (values * 1.3 + offset).cos().to_kind(Kind::Float);
    let targets = inputs.sum_dim_intlist(1, true, Kind::Float).sin();
    (inputs, targets)
}

fn weights(store: &nn::VarStore) -> BTreeMap<String, Vec<f64>> {
    let values = |tensor: &Tensor| Vec::<f64>::try_from(tensor.flatten(0, -1).to_kind(Kind::Double)).unwrap();
    store.variables().iter().map(|(name, tensor)| (name.clone(), values(tensor))).collect()
}

/// What a run has come to.
#[derive(Debug, Default)]
pub struct Outcome {
    weights: BTreeMap<String, Vec<f64>>,
    lr: Vec<f64>,
    epoch: u64,
    global_step: u64,
    best: f64,
    wait_count: u64,
    best_model_score: f64,
    pub last_val_loss: f64,
}

impl Outcome {
    /// Reads what lightning.py prints.
    pub fn of(printed: &Value) -> Self {
        let numbers =
            |json: &Value| json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect::<Vec<_>>();
        let weights = printed["weights"].as_object().unwrap().iter();
        let weights = weights.filter(|(name, _)| !name.ends_with("num_batches_tracked"));
        Self {
            weights: weights.map(|(name, values)| (name.clone(), numbers(values))).collect(),
            lr: numbers(&printed["lr"]),
            epoch: printed["epoch"].as_u64().unwrap(),
            global_step: printed["global_step"].as_u64().unwrap(),
            best: printed["best"].as_f64().unwrap(),
            wait_count: printed["wait_count"].as_u64().unwrap(),
            best_model_score: printed["best_model_score"].as_f64().unwrap(),
            last_val_loss: printed["val_loss"].as_f64().unwrap(),
        }
    }

    /// Returns the largest difference of a weight.
    pub fn distance(&self, other: &Self) -> f64 {
        assert!(self.weights.keys().eq(other.weights.keys()), "{:?} {:?}", self.weights.keys(), other.weights.keys());
        let pairs = self.weights.iter().flat_map(|(name, values)| values.iter().zip(&other.weights[name]));
        pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
    }

    pub fn assert_is(&self, other: &Self, tolerance: f64, of: &str) {
        let distance = self.distance(other);
        println!("{of}: the weights differ by at most {distance:e}");
        assert!(distance <= tolerance, "{of}: {distance}");
        let rates = self.lr.iter().zip(&other.lr);
        assert!(
            self.lr.len() == other.lr.len() && rates.clone().all(|(one, other)| (one - other).abs() < 1e-12),
            "{of}: {self:?} {other:?}"
        );
        let counters = |outcome: &Self| (outcome.epoch, outcome.global_step, outcome.wait_count);
        assert_eq!(counters(self), counters(other), "{of}");
        assert!((self.best - other.best).abs() < tolerance, "{of}: {} {}", self.best, other.best);
        assert!((self.best_model_score - other.best_model_score).abs() < tolerance, "{of}");
    }
}

/// Returns a trainer without output, which trains until this epoch.
pub fn trainer(max_epochs: i64, folder: &Path) -> Trainer<Model> {
    let checkpoints = ModelCheckpoint::new().monitor("val_loss").dirpath(folder);
    Trainer::new(TrainerConfig {
        max_epochs: Some(max_epochs),
        logger: false.into(),
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 0,
        ..TrainerConfig::default()
    })
    .callback(EarlyStopping::new("val_loss").patience(100))
    .callback(checkpoints)
}

/// Trains until `epochs` are done, and leaves `last.ckpt` in a folder.
pub fn train(optimizer: &str, epochs: i64, from: Option<&Path>, folder: &Path) -> Outcome {
    let hparams = Hparams::of(optimizer);
    let mut model = Model::new(hparams.clone());
    let mut trainer = trainer(epochs, folder).hyper_parameters(serde_json::to_value(&hparams).unwrap());
    if let Some(from) = from {
        trainer = trainer.ckpt_path(from);
    }
    trainer.fit(&mut model, &mut Data).unwrap();
    trainer.save_checkpoint(&mut model, &mut Data, folder.join("last.ckpt")).unwrap();
    let ctx = trainer.context();
    let states = states(&folder.join("last.ckpt"));
    let state = |key: &str| states.iter().find(|(known, _)| known.starts_with(key)).unwrap().1.clone();
    Outcome {
        weights: weights(model.parameters()),
        lr: ctx.optimizers()[0].groups().iter().map(|group| group.lr()).collect(),
        epoch: ctx.current_epoch() as u64,
        global_step: ctx.global_step() as u64,
        best: state("EarlyStopping")["best_score"].as_f64().unwrap(),
        wait_count: state("EarlyStopping")["wait_count"].as_u64().unwrap(),
        best_model_score: state("ModelCheckpoint")["best_model_score"].as_f64().unwrap(),
        last_val_loss: ctx.callback_metrics()["val_loss"],
    }
}

fn states(path: &Path) -> BTreeMap<String, Value> {
    tch_lightning::checkpoint::Checkpoint::read(path).unwrap().metadata.callbacks
}
