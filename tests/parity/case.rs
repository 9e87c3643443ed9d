use serde::Deserialize;
use serde_json::{Map, Value};
use tch_lightning::callbacks::{EarlyStopping, ModelCheckpoint};
use tch_lightning::optim::{self, Algorithm};
use tch_lightning::schedule::LrSchedulerConfig;

/// A case: what is trained, and how. What is absent has Lightning's default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name, which its trace has too.
    pub name: String,
    #[serde(default)]
    pub(super) verb: Verb,
    #[serde(default)]
    pub(super) model: Model,
    /// The trainer's arguments by Lightning's names.
    #[serde(default)]
    pub(super) trainer: Map<String, Value>,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) checkpoint: Option<ModelCheckpoint>,
    /// The trainer's arguments of an earlier `fit`, from whose checkpoint the case goes on.
    pub(super) before: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    #[default]
    Fit,
    Validate,
    Test,
    Predict,
}

/// What the model does.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Model {
    pub(super) train: i64,
    pub(super) val: Vec<i64>,
    pub(super) test: Vec<i64>,
    pub(super) predict: Vec<i64>,
    pub(super) optimizer: Optimizer,
    /// How many such optimizers there are, each over all parameters.
    pub(super) optimizers: usize,
    /// On the first optimizer.
    pub(super) scheduler: Option<Scheduler>,
    pub(super) automatic: bool,
    /// Without automatic optimization: each optimizer steps after so many batches.
    pub(super) manual_step_every: usize,
    pub(super) loss_scale: f64,
    pub(super) none_loss_at: Vec<usize>,
    pub(super) skip: Vec<Skip>,
    #[serde(rename = "override")]
    pub(super) overridden: Vec<String>,
    pub(super) val_metric: Vec<f64>,
    /// Whether the steps log with `sync_dist`.
    pub(super) sync_dist: bool,
    /// Rows that each dataset has beyond its batches.
    pub(super) extra_rows: i64,
    /// Whether the bias of each rank begins at its number.
    pub(super) perturb_ranks: bool,
    pub(super) raise: Option<Raise>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            train: 4,
            val: vec![2],
            test: vec![2],
            predict: vec![2],
            optimizer: Optimizer::default(),
            optimizers: 1,
            scheduler: None,
            automatic: true,
            manual_step_every: 1,
            loss_scale: 1.0,
            none_loss_at: Vec::new(),
            skip: Vec::new(),
            overridden: Vec::new(),
            val_metric: Vec::new(),
            sync_dist: false,
            extra_rows: 0,
            perturb_ranks: false,
            raise: None,
        }
    }
}

/// An optimizer by PyTorch's name, with its arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "name")]
pub(super) enum Optimizer {
    #[serde(rename = "SGD")]
    Sgd(optim::Sgd),
    Adam(optim::Adam),
    AdamW(optim::AdamW),
    #[serde(rename = "RMSprop")]
    RmsProp(optim::RmsProp),
    Adagrad(optim::Adagrad),
    Adadelta(optim::Adadelta),
    Adamax(optim::Adamax),
    NAdam(optim::NAdam),
    RAdam(optim::RAdam),
    #[serde(rename = "LBFGS")]
    Lbfgs(optim::Lbfgs),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Sgd(optim::Sgd::new(0.1))
    }
}

impl From<Optimizer> for Algorithm {
    fn from(optimizer: Optimizer) -> Self {
        match optimizer {
            Optimizer::Sgd(algorithm) => algorithm.into(),
            Optimizer::Adam(algorithm) => algorithm.into(),
            Optimizer::AdamW(algorithm) => algorithm.into(),
            Optimizer::RmsProp(algorithm) => algorithm.into(),
            Optimizer::Adagrad(algorithm) => algorithm.into(),
            Optimizer::Adadelta(algorithm) => algorithm.into(),
            Optimizer::Adamax(algorithm) => algorithm.into(),
            Optimizer::NAdam(algorithm) => algorithm.into(),
            Optimizer::RAdam(algorithm) => algorithm.into(),
            Optimizer::Lbfgs(algorithm) => algorithm.into(),
        }
    }
}

/// A scheduler by PyTorch's name, with its arguments and when it steps.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Scheduler {
    name: String,
    #[serde(default)]
    args: Map<String, Value>,
    #[serde(flatten)]
    when: Map<String, Value>,
}

impl Scheduler {
    /// The library's description, which reads the same names.
    pub(super) fn config(&self) -> anyhow::Result<LrSchedulerConfig> {
        let mut config = self.when.clone();
        config.extend(self.args.clone());
        config.insert("name".to_owned(), self.name.clone().into());
        Ok(serde_json::from_value(Value::Object(config))?)
    }
}

/// Where `on_train_batch_start` skips the rest of the epoch.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Skip {
    pub(super) epoch: usize,
    pub(super) batch: usize,
}

/// Where a hook raises.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Raise {
    pub(super) hook: String,
    pub(super) batch_idx: Option<usize>,
    #[serde(default)]
    pub(super) epoch: usize,
}
