//! A module that is loaded from a checkpoint, frozen modules, and the mode of layers such as dropout.
#![allow(missing_docs)]

use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch_lightning::RunningStage;
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::checkpoint::Checkpoint;
use tch_lightning::cli::Built;
use tch_lightning::module::NoDataModule;
use tch_lightning::prelude::*;

#[derive(Args, Clone, Serialize, Deserialize)]
struct Hparams {
    /// The width of the hidden layer
    #[arg(long, default_value_t = 4)]
    width: i64,
    /// The probability with which dropout zeroes a value
    #[arg(long, default_value_t = 0.5)]
    dropout: f64,
}

/// The outputs of a step, with what the step was in.
type Seen = (RunningStage, bool, Tensor);

struct Model {
    vs: nn::VarStore,
    net: nn::SequentialT,
    hparams: Hparams,
    seen: Vec<Seen>,
    lr: f64,
}

#[lightning_module]
impl Model {
    fn new(hparams: Hparams) -> Result<Self> {
        if hparams.width < 1 {
            bail!("a width of {}", hparams.width);
        }
        let vs = nn::VarStore::new(Device::Cpu);
        let (root, dropout) = (vs.root(), hparams.dropout);
        let net = nn::seq_t()
            .add(nn::linear(&root / "hidden", 3, hparams.width, nn::LinearConfig::default()))
            .add(nn::batch_norm1d(&root / "norm", hparams.width, nn::BatchNormConfig::default()))
            .add_fn_t(move |xs, train| xs.dropout(dropout, train))
            .add(nn::linear(&root / "out", hparams.width, 1, nn::LinearConfig::default()));
        Ok(Self { vs, net, hparams, seen: Vec::new(), lr: 0.1 })
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn forward(&self, xs: &Tensor) -> Tensor {
        self.net.forward_t(xs, is_training())
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        let outputs = self.forward(batch);
        self.seen.push((ctx.running_stage(), ctx.is_training(), outputs.detach().copy()));
        outputs.square().mean(Kind::Float)
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        for _ in 0..2 {
            self.seen.push((ctx.running_stage(), ctx.is_training(), self.forward(batch)));
        }
    }

    fn predict_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        assert!(!ctx.is_training() && !is_training());
        self.forward(batch)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(self.lr)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(inputs())?).batch_size(8))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }

    fn predict_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

/// `[8, 3] f32`.
fn inputs() -> Tensor {
    Tensor::linspace(-1.0, 1.0, 24, (Kind::Float, Device::Cpu)).view([8, 3])
}

fn quiet() -> TrainerConfig {
    TrainerConfig {
        max_epochs: Some(2),
        logger: false.into(),
        enable_checkpointing: false,
        enable_progress_bar: false,
        enable_model_summary: false,
        num_sanity_val_steps: 1,
        ..TrainerConfig::default()
    }
}

/// A trained model with its checkpoint.
fn trained(folder: &Path) -> (Model, PathBuf) {
    tch::manual_seed(3);
    let hparams = Hparams { width: 5, dropout: 0.25 };
    let mut model = Model::new(hparams.clone()).unwrap();
    let mut trainer = Trainer::new(quiet())
        .hyper_parameters(serde_json::to_value(hparams).unwrap())
        .callback(ModelCheckpoint::new().dirpath(folder).filename("model"));
    trainer.fit(&mut model, ()).unwrap();
    (model, folder.join("model.ckpt"))
}

#[test]
fn is_training_is_true_only_in_training_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (model, _) = trained(folder.path());
    let stages: Vec<RunningStage> = model.seen.iter().map(|(stage, ..)| *stage).collect();
    let (check, train, validate) = (RunningStage::SanityChecking, RunningStage::Training, RunningStage::Validating);
    assert_eq!(stages, [check, check, train, validate, validate, train, validate, validate]);
    assert!(model.seen.iter().all(|(stage, is_training, _)| *is_training == (*stage == train)));
    assert!(!is_training());
    // the same weights give the same outputs in validation
    for pair in [[0, 1], [3, 4], [6, 7]] {
        assert_eq!(model.seen[pair[0]].2, model.seen[pair[1]].2);
    }
}

#[test]
fn dropout_is_active_only_in_training() {
    let mut model = Model::new(Hparams { width: 16, dropout: 0.5 }).unwrap();
    let config = TrainerConfig { limit_val_batches: 0.0.into(), ..quiet() };
    // with a learning rate of 0, what differs is the dropout
    model.lr = 0.0;
    Trainer::new(config).fit(&mut model, ()).unwrap();
    assert_eq!(model.seen.len(), 2);
    assert_ne!(model.seen[0].2, model.seen[1].2);
}

/// Returns what the program of `Model`, which has loaders of its own, builds from these arguments.
fn built(arguments: &[&str]) -> Built<Model, NoDataModule<Tensor>> {
    let quiet = [
        "--accelerator",
        "cpu",
        "--logger",
        "false",
        "--enable-progress-bar",
        "false",
        "--enable-model-summary",
        "false",
    ];
    let arguments = ["model"].into_iter().chain(quiet).chain(arguments.iter().copied());
    Model::program::<NoDataModule<_>>().arguments(arguments).build().unwrap()
}

#[test]
fn build_returns_the_trainer_and_the_module_of_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("built.ckpt");
    let Built { mut trainer, mut model, mut data, config, seed, hyper_parameters, ckpt_path, .. } =
        built(&["--max-epochs", "2", "--width", "6", "--seed-everything", "7", "--enable-checkpointing", "false"]);
    assert_eq!((config.max_epochs, seed, ckpt_path), (Some(2), 7, None));
    assert_eq!(hyper_parameters["model"], serde_json::json!({ "width": 6, "dropout": 0.5 }));
    trainer.fit(&mut model, &mut data).unwrap();
    assert_eq!((model.hparams.width, trainer.context().current_epoch()), (6, 2));
    trainer.save_checkpoint(&mut model, &mut data, &path).unwrap();

    let again = built(&["--ckpt-path", path.to_str().unwrap(), "--dropout", "0.25"]);
    assert_eq!((again.model.hparams.width, again.model.hparams.dropout), (6, 0.25));
    assert_eq!(again.ckpt_path, Some(path));
    let (mut trainer, mut model, mut data) = (again.trainer, again.model, again.data);
    assert_eq!(trainer.predict(&mut model, &mut data).unwrap().len(), 1);
    assert_eq!(trainer.context().ckpt_path(), again.ckpt_path.as_deref());
}

/// A module that records the mode in its hooks. `set` is what each hook sets it to.
struct Modes {
    vs: nn::VarStore,
    layer: nn::Linear,
    set: fn(&str) -> Option<bool>,
    seen: Vec<(&'static str, bool)>,
}

impl Modes {
    /// Returns the modes of a `fit` over two epochs, after its sanity check.
    fn of_fit(set: fn(&str) -> Option<bool>) -> Vec<(&'static str, bool)> {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 3, 1, nn::LinearConfig::default());
        let mut modes = Self { vs, layer, set, seen: Vec::new() };
        Trainer::new(TrainerConfig { num_sanity_val_steps: 0, ..quiet() }).fit(&mut modes, ()).unwrap();
        modes.seen
    }

    fn see(&mut self, hook: &'static str, ctx: &mut tch_lightning::RunContext) {
        self.seen.push((hook, ctx.is_training()));
        if let Some(is_training) = (self.set)(hook) {
            ctx.set_training(is_training);
        }
    }
}

#[lightning_module]
impl Modes {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn on_train_start(&mut self, ctx: &mut Context) {
        self.see("train start", ctx);
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Tensor) -> Tensor {
        self.see("train", ctx);
        self.layer.forward(batch).square().mean(Kind::Float)
    }

    fn on_validation_model_eval(&mut self, ctx: &mut Context) {
        self.see("eval", ctx);
    }

    fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
        assert_eq!(batch.size()[1], 3);
        self.see("validate", ctx);
    }

    fn on_validation_model_train(&mut self, ctx: &mut Context) {
        self.see("train again", ctx);
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(inputs())?).batch_size(8))
    }

    fn val_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

// Lightning captures the mode before a validation and restores it after it, unless `on_validation_model_train` is overridden.
#[test]
fn set_training_holds_until_the_next_validation_and_after_it() {
    let modes = |[start, train, validate, again, second]: [bool; 5]| {
        let epoch = |train, validate, again| {
            [("train", train), ("eval", false), ("validate", validate), ("train again", again)]
        };
        [vec![("train start", start)], epoch(train, validate, again).to_vec(), epoch(second, validate, again).to_vec()]
            .concat()
    };
    assert_eq!(Modes::of_fit(|_| None), modes([true, true, false, true, true]));
    assert_eq!(Modes::of_fit(|hook| (hook == "eval").then_some(true)), modes([true, true, true, true, true]));
    assert_eq!(
        Modes::of_fit(|hook| (hook == "train start").then_some(false)),
        modes([true, false, false, false, false])
    );
    let frozen = Modes::of_fit(|hook| (hook == "train again").then_some(false));
    // the second validation begins, and ends, in the mode that the first one left
    let mut expected = modes([true, true, false, true, false]);
    expected.last_mut().unwrap().1 = false;
    assert_eq!(frozen, expected);
    assert!(!is_training());
}

#[test]
fn load_from_checkpoint_predicts_as_the_trained_model() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, path) = trained(folder.path());
    let loaded = Model::load_from_checkpoint(&path).unwrap();
    assert_eq!((loaded.hparams.width, loaded.hparams.dropout), (5, 0.25));
    assert_eq!(loaded.forward(&inputs()), model.forward(&inputs()));
    let predicted = Trainer::new(quiet()).predict(&mut model, ()).unwrap();
    assert_eq!(loaded.forward(&inputs()), predicted[0]);
    let changed = Model::load_from_checkpoint_with(&path, |hparams| hparams.dropout = 0.0).unwrap();
    assert_eq!((changed.hparams.width, changed.hparams.dropout), (5, 0.0));
    assert_eq!(changed.forward(&inputs()), predicted[0]);
}

#[test]
fn load_from_checkpoint_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = trained(folder.path());
    let failed = |outcome: Result<Model, tch_lightning::Error>| {
        let text = outcome.err().expect("it fails").to_string();
        assert!(text.contains("model.ckpt") || text.contains("none.ckpt"), "{text}");
        text
    };
    let other = failed(Model::load_from_checkpoint_with(&path, |hparams| hparams.width = 7));
    let cause = "hyperparameters differ: `width` was 5 in the checkpoint and is 7 now";
    assert!(other.contains("hidden.weight") && other.ends_with(cause), "{other}");
    let refused = failed(Model::load_from_checkpoint_with(&path, |hparams| hparams.width = 0));
    assert!(
        refused.contains("cannot construct the model from the hyperparameters in") && refused.contains("a width of 0")
    );
    failed(Model::load_from_checkpoint(folder.path().join("none.ckpt")));
}

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

#[derive(Args, Serialize, Deserialize)]
struct TextHparams {
    /// The size of the alphabet
    #[arg(long, default_value_t = 3)]
    letters: i64,
}

struct Text {
    letters: i64,
}

#[lightning_datamodule]
impl Text {
    fn new(hparams: TextHparams) -> Self {
        Self { letters: hparams.letters }
    }

    fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(inputs())?).batch_size(8))
    }
}

struct Letters {
    vs: nn::VarStore,
    layer: nn::Linear,
}

#[lightning_module]
impl Letters {
    fn new(_hparams: &Hparams, data: &Text) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 3, data.letters, nn::LinearConfig::default());
        Self { vs, layer }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).square().mean(Kind::Float)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

#[test]
fn load_from_checkpoint_with_data_makes_the_data_module_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sized.ckpt");
    let mut text = Text { letters: 11 };
    let mut model = Letters::new(&Hparams { width: 1, dropout: 0.0 }, &text);
    let hyper_parameters = serde_json::json!({ "model": { "width": 1 }, "data": { "letters": 11 } });
    let mut trainer = Trainer::new(quiet()).hyper_parameters(hyper_parameters);
    trainer.fit(&mut model, &mut text).unwrap();
    trainer.save_checkpoint(&mut model, &mut text, &path).unwrap();
    let (loaded, data) = Letters::load_from_checkpoint_with_data::<Text>(&path).unwrap();
    assert_eq!(data.letters, 11);
    assert_eq!(loaded.layer.ws, model.layer.ws);
}

#[derive(Args, Debug, PartialEq, Serialize, Deserialize)]
struct Weighted {
    /// The weight of each class by its name
    #[arg(long, value_parser = weights, default_value = "cat=1,dog=1")]
    weights: BTreeMap<String, f64>,
    /// The width of the hidden layer
    #[arg(long)]
    width: i64,
    #[command(flatten)]
    inner: Inner,
}

#[derive(Args, Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    /// The number of layers
    #[arg(long, default_value_t = 2)]
    depth: i64,
    /// Whether layers have a bias
    #[arg(long)]
    bias: bool,
}

fn weights(text: &str) -> Result<BTreeMap<String, f64>> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, weight)| Ok((name.to_owned(), weight.parse()?))).collect()
}

struct OfWeights {
    vs: nn::VarStore,
    hparams: Weighted,
}

#[lightning_module]
impl OfWeights {
    fn new(hparams: Weighted) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

/// Returns the hyperparameters of a module that is loaded from a checkpoint with these values.
fn loaded_with(hyper_parameters: serde_json::Value) -> Result<Weighted, tch_lightning::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weighted.ckpt");
    let mut checkpoint = Checkpoint::default();
    checkpoint.metadata.hyper_parameters = Some(hyper_parameters);
    checkpoint.write(&path).unwrap();
    OfWeights::load_from_checkpoint(&path).map(|module| module.hparams)
}

#[test]
fn load_from_checkpoint_replaces_maps_and_completes_structs() {
    let saved = serde_json::json!({ "weights": { "bird": 2.0 }, "width": 3, "inner": { "bias": true } });
    let weights = BTreeMap::from([("bird".to_owned(), 2.0)]);
    let expected = Weighted { weights, width: 3, inner: Inner { depth: 2, bias: true } };
    assert_eq!(loaded_with(serde_json::json!({ "model": saved })).unwrap(), expected);
    // those of a program's own `main` need not be in a section
    assert_eq!(loaded_with(saved).unwrap(), expected);
    // a required flag does not have a default
    let refused = loaded_with(serde_json::json!({ "model": { "weights": {} } })).unwrap_err().to_string();
    assert!(refused.ends_with("do not fit the model: missing field `width`"), "{refused}");
}
