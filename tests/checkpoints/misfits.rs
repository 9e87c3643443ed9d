//! Checkpoints that do not fit the run that is to resume them. Each is refused with both sides named, and nothing of it is loaded.

use std::path::PathBuf;
use tch_lightning::optim::Algorithm;
use tch_lightning::prelude::*;
use tch_lightning::{
    callbacks::{EarlyStopping, ModelCheckpoint, OnExceptionCheckpoint},
    checkpoint::weights,
    module::Optimizers,
};

/// Two layers of one weight, which a module of manual optimization steps by whatever it is given.
struct Two {
    vs: nn::VarStore,
    optimizers: Optimizers,
    has_trained: bool,
}

impl Two {
    fn new(optimizers: impl Into<Optimizers>) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        for layer in ["a", "b"] {
            let _weight = (vs.root() / layer).ones("weight", &[2]);
        }
        Self { vs, optimizers: optimizers.into(), has_trained: false }
    }

    fn weights(&self) -> Vec<(String, Vec<f64>)> {
        let values = |tensor: &Tensor| Vec::try_from(tensor.detach().to_kind(Kind::Double)).unwrap();
        let variables = self.vs.variables();
        let mut weights: Vec<_> = variables.iter().map(|(name, tensor)| (name.clone(), values(tensor))).collect();
        weights.sort_by(|(one, _), (other, _)| one.cmp(other));
        weights
    }
}

#[lightning_module(automatic_optimization = false)]
impl Two {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, _batch: &Tensor) -> Result<()> {
        self.has_trained = true;
        let loss = self.vs.variables().values().map(|weight| weight.sum(Kind::Float)).sum::<Tensor>();
        ctx.manual_backward(self, &loss)?;
        for place in 0..ctx.optimizers().len() {
            ctx.manual_step(self, place)?;
        }
        Ok(())
    }

    fn configure_optimizers(&self) -> Optimizers {
        self.optimizers.clone()
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::zeros([2, 1], (Kind::Float, Device::Cpu)))?))
    }
}

fn config(epochs: i64) -> TrainerConfig {
    crate::model::config(epochs)
}

struct Saved {
    folder: tempfile::TempDir,
}

impl Saved {
    /// The checkpoint of one epoch with these optimizers.
    fn of(optimizers: impl Into<Optimizers>) -> Self {
        Self::by(ModelCheckpoint::new(), config(1), optimizers)
    }

    fn by(checkpoint: ModelCheckpoint, config: TrainerConfig, optimizers: impl Into<Optimizers>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = checkpoint.dirpath(folder.path()).filename("saved");
        Trainer::new(config).callback(checkpoint).fit(&mut Two::new(optimizers), ()).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("saved.ckpt")
    }

    fn change(&self, change: impl FnOnce(&mut Checkpoint)) {
        let mut checkpoint = Checkpoint::read(&self.path()).unwrap();
        change(&mut checkpoint);
        checkpoint.write(&self.path()).unwrap();
    }

    /// What is said to a run with these optimizers. It must not have trained, and have its weights as they were.
    fn refused(&self, config: TrainerConfig, optimizers: impl Into<Optimizers>) -> String {
        let mut module = Two::new(optimizers);
        let before = module.weights();
        let config = TrainerConfig { enable_checkpointing: false, ..config };
        let error = Trainer::new(config).ckpt_path(self.path()).fit(&mut module, ()).unwrap_err().to_string();
        assert!(!module.has_trained, "{error}");
        assert_eq!(module.weights(), before, "{error}");
        error.replace(&self.path().display().to_string(), "FILE")
    }
}

fn two_of(one: impl Into<Algorithm>, other: impl Into<Algorithm>) -> Optimizers {
    Optimizers::from((one.into().over("a.*"), other.into().over("b.*")))
}

fn misfit(what: &str) -> String {
    format!("the checkpoint FILE does not fit this run: {what}")
}

#[test]
fn optimizers_of_another_kind_are_refused() {
    let two = || two_of(Sgd::new(0.1), Sgd::new(0.1));
    assert_eq!(Saved::of(two()).refused(config(2), Sgd::new(0.1)), misfit("it has 2 optimizers, but this run has 1"));
    assert_eq!(Saved::of(Sgd::new(0.1)).refused(config(2), two()), misfit("it has 1 optimizer, but this run has 2"));
    assert_eq!(
        Saved::of(two()).refused(config(2), two_of(Sgd::new(0.1), Adagrad::new(0.1))),
        misfit("its optimizer 1 is SGD, but the run's is Adagrad")
    );
    // the first one would have fitted
    assert_eq!(
        Saved::of(two_of(Adam::new(0.1), Adam::new(0.1))).refused(config(2), two_of(Adam::new(0.1), AdamW::new(0.1))),
        misfit("its optimizer 1 is Adam, but the run's is AdamW")
    );
}

#[test]
fn parameter_groups_that_differ_are_refused() {
    let groups = || ParameterGroups::new(Sgd::new(0.1)).group("a.*", Sgd::new(0.2));
    assert_eq!(
        Saved::of(groups()).refused(config(2), Sgd::new(0.1)),
        misfit("its optimizer 0 has 2 parameter groups, but the run's has 1")
    );
    assert_eq!(
        Saved::of(Sgd::new(0.1)).refused(config(2), groups()),
        misfit("its optimizer 0 has 1 parameter group, but the run's has 2")
    );
    let others = ParameterGroups::new(Sgd::new(0.1)).group("b.*", Sgd::new(0.2));
    assert_eq!(
        Saved::of(groups()).refused(config(2), others),
        misfit("the parameter group 0 of its optimizer 0 has the parameters b.weight, but the run's has a.weight")
    );
}

#[test]
fn schedulers_that_differ_are_refused() {
    let scheduled = || Optimizers::from(Sgd::new(0.1).lr_scheduler(StepLr::new(1)));
    assert_eq!(
        Saved::of(scheduled()).refused(config(2), Sgd::new(0.1)),
        misfit("it has 1 learning-rate scheduler, but this run has 0")
    );
    assert_eq!(
        Saved::of(Sgd::new(0.1)).refused(config(2), scheduled()),
        misfit("it has 0 learning-rate schedulers, but this run has 1")
    );
    assert_eq!(
        Saved::of(scheduled()).refused(config(2), Sgd::new(0.1).lr_scheduler(ExponentialLr::new(0.5))),
        misfit("the saved state does not fit ExponentialLR: it has the state of StepLR in place of ExponentialLR")
    );
}

#[test]
fn gradient_scaler_on_one_side_is_refused() {
    let scaled = || TrainerConfig { precision: Precision::Float16Mixed, ..config(1) };
    let with = Saved::by(ModelCheckpoint::new(), scaled(), Sgd::new(0.1));
    let said = with.refused(config(2), Sgd::new(0.1));
    assert!(said.starts_with(&misfit("it has the state of a gradient scaler")), "{said}");
    assert!(said.contains("this run's is 32-true"), "{said}");
    let said = Saved::of(Sgd::new(0.1)).refused(scaled(), Sgd::new(0.1));
    assert!(said.starts_with(&misfit("it does not have the state of a gradient scaler")), "{said}");
    // as the sentence says
    with.change(|checkpoint| checkpoint.metadata.grad_scaler = None);
    let config = TrainerConfig { enable_checkpointing: false, ..config(2) };
    Trainer::new(config).ckpt_path(with.path()).fit(&mut Two::new(Sgd::new(0.1)), ()).unwrap();
}

#[test]
fn weights_of_another_kind_of_number_are_refused() {
    let saved = Saved::of(Sgd::new(0.1));
    for (kind, shown) in [(Kind::Int64, "Int64"), (Kind::ComplexFloat, "ComplexFloat"), (Kind::Bool, "Bool")] {
        saved.change(|checkpoint| {
            let weight = Tensor::ones([2], (Kind::Float, Device::Cpu)).to_kind(kind);
            checkpoint.tensors.insert("module.a.weight".to_owned(), weight);
        });
        let expected = format!(
            "the checkpoint FILE does not fit the module: of another kind of dtype: a.weight ({shown} instead of Float)"
        );
        assert_eq!(saved.refused(config(2), Sgd::new(0.1)), expected);
        let mut module = Two::new(Sgd::new(0.1));
        let said = weights::load(&mut module.vs, saved.path()).unwrap_err().to_string();
        assert_eq!(said.replace(&saved.path().display().to_string(), "FILE"), expected);
        assert_eq!(module.weights(), Two::new(Sgd::new(0.1)).weights());
    }
    saved.change(|checkpoint| {
        let weight = Tensor::from_slice(&[3.0f64, 4.0]).to_kind(Kind::Half);
        checkpoint.tensors.insert("module.a.weight".to_owned(), weight);
    });
    let mut module = Two::new(Sgd::new(0.1));
    weights::load(&mut module.vs, saved.path()).unwrap();
    assert_eq!(module.weights()[0].1, [3.0, 4.0]);
}

#[test]
fn tensors_of_other_sizes_are_refused_with_the_files_name() {
    let saved = Saved::of(Adam::new(0.1));
    for (name, what) in [
        ("module.a.weight", "does not fit the module: of another shape: a.weight ([3] instead of [2])"),
        (
            "gradient.a.weight",
            "does not fit this run: its tensors are of another shape: gradient.a.weight ([3] instead of [2])",
        ),
        (
            "optimizer.0.a.weight.exp_avg",
            "does not fit this run: the saved state does not fit Adam: of another shape: a.weight.exp_avg ([3] instead of [2])",
        ),
        ("random.cpu", "does not fit this run: its tensors are of another shape: random.cpu ([3] instead of [5056])"),
    ] {
        let before = std::fs::read(saved.path()).unwrap();
        let tensor = Tensor::zeros([3], (Kind::Float, Device::Cpu));
        saved.change(|checkpoint| drop(checkpoint.tensors.insert(name.to_owned(), tensor)));
        assert_eq!(saved.refused(config(2), Adam::new(0.1)), format!("the checkpoint FILE {what}"));
        std::fs::write(saved.path(), before).unwrap();
    }
}

#[test]
fn weights_only_checkpoint_cannot_be_resumed_from() {
    let saved = Saved::by(ModelCheckpoint::new().save_weights_only(true), config(1), Sgd::new(0.1));
    let sentence = "the checkpoint FILE contains only weights (`save_weights_only`), so `fit` cannot resume from it: set `resume` to \
                    weights, for a new run that begins with them, or resume from a complete checkpoint";
    assert_eq!(saved.refused(config(2), Sgd::new(0.1)), sentence);
    assert_eq!(saved.refused(config(2), Adam::new(0.1)), sentence);
    let mut module = Two::new(Sgd::new(0.1));
    weights::load(&mut module.vs, saved.path()).unwrap();
    assert_ne!(module.weights(), Two::new(Sgd::new(0.1)).weights());
}

#[test]
fn checkpoint_that_was_refused_still_exists() {
    let saved = Saved::of(Sgd::new(0.1));
    let on_exception = OnExceptionCheckpoint::new(saved.folder.path()).filename("saved");
    let before = std::fs::read(saved.path()).unwrap();
    let config = TrainerConfig { enable_checkpointing: false, ..config(2) };
    let mut trainer = Trainer::new(config).callback(on_exception).ckpt_path(saved.path());
    trainer.fit(&mut Two::new(two_of(Sgd::new(0.1), Sgd::new(0.1))), ()).unwrap_err();
    assert!(std::fs::read(saved.path()).unwrap() == before);
}

/// What is said of the checkpoint of an epoch with one optimizer once it was changed, without its path.
fn said_of(change: impl FnOnce(&mut Checkpoint)) -> String {
    let saved = Saved::of(Sgd::new(0.1));
    let mut checkpoint = Checkpoint::read(&saved.path()).unwrap();
    change(&mut checkpoint);
    checkpoint.write(&saved.path()).unwrap();
    let trainer = Trainer::new(config(2)).callback(EarlyStopping::new("loss"));
    let error = trainer.ckpt_path(saved.path()).fit(&mut Two::new(Sgd::new(0.1)), ()).unwrap_err();
    error.to_string().replace(&saved.path().display().to_string(), "FILE")
}

#[test]
fn names_in_a_checkpoint_do_not_reach_the_terminal_as_they_are() {
    let renamed = |name: String| {
        said_of(|checkpoint| {
            let weight = checkpoint.tensors.remove("module.a.weight").unwrap();
            checkpoint.tensors.insert(format!("module.{name}"), weight);
        })
    };
    let said = renamed("\u{1b}[2J\n".to_owned());
    assert!(said.ends_with("unexpected: \\u{1b}[2J\\n"), "{said:?}");
    let said = renamed("n".repeat(100_000));
    assert!(said.ends_with(&format!("unexpected: {}…", "n".repeat(200))), "{} bytes", said.len());
    let said = said_of(|checkpoint| {
        checkpoint.metadata.optimizers[0].parameters[0][0] = "\u{1b}[31m".to_owned();
    });
    assert!(said.contains("has the parameters \\u{1b}[31m, "), "{said:?}");
}

#[test]
fn callbacks_state_that_does_not_fit_names_the_file() {
    let said = said_of(|checkpoint| {
        let key = "EarlyStopping(loss, min)".to_owned();
        checkpoint.metadata.callbacks.insert(key, serde_json::json!({ "wait_count": "\u{1b}[2J" }));
    });
    assert_eq!(
        said,
        "`load_state_dict` of the callback EarlyStopping failed in `fit`: the state in the checkpoint FILE does not fit: invalid type: \
         string \"\\u{1b}[2J\", expected usize"
    );
}

#[test]
fn setting_of_0_in_a_checkpoint_names_the_file() {
    let saved = Saved::of(Sgd::new(0.1));
    // layout 1 has no checksum
    let bytes = std::fs::read(saved.path()).unwrap();
    let (length, rest) = bytes.split_at(8);
    let (header, elements) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let texts = header["__metadata__"].as_object_mut().unwrap();
    texts.remove("tch_lightning.checksum").unwrap();
    let mut metadata: serde_json::Value = serde_json::from_str(texts["tch_lightning"].as_str().unwrap()).unwrap();
    metadata["layout"] = 1.into();
    metadata["run"]["accumulate_grad_batches"] = 0.into();
    texts["tch_lightning"] = metadata.to_string().into();
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(saved.path(), [&length[..], header.as_bytes(), elements].concat()).unwrap();

    let trainer = Trainer::new(config(2)).ckpt_path(saved.path());
    let said = { trainer }.fit(&mut Two::new(Sgd::new(0.1)), ()).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "the checkpoint {} does not fit this run: `accumulate_grad_batches` must be at least 1, but it is 0",
            saved.path().display()
        )
    );
}

#[test]
fn trained_epoch_whose_end_wrote_the_checkpoint_counts() {
    let root = tempfile::tempdir().unwrap();
    let config = |epochs| TrainerConfig {
        default_root_dir: root.path().to_owned(),
        enable_checkpointing: true,
        ..config(epochs)
    };
    let fitted = Trainer::new(config(2)).callback(ModelCheckpoint::new().save_last(true).dirpath(root.path()));
    { fitted }.fit(&mut Two::new(Sgd::new(0.1)), ()).unwrap();
    let trainer = Trainer::new(config(0)).ckpt_path(root.path().join("last.ckpt"));
    let said = { trainer }.fit(&mut Two::new(Sgd::new(0.1)), ()).unwrap_err().to_string();
    assert_eq!(
        said,
        "the checkpoint was written after 2 epochs, but `max_epochs` is 0: set it to more than 2 to continue"
    );
}

#[test]
fn epochs_are_counted_in_words() {
    let saved = Saved::of(Sgd::new(0.1));
    let trainer = Trainer::new(config(0)).ckpt_path(saved.path());
    let said = { trainer }.fit(&mut Two::new(Sgd::new(0.1)), ()).unwrap_err().to_string();
    assert_eq!(
        said,
        "the checkpoint was written after 1 epoch, but `max_epochs` is 0: set it to more than 1 to continue"
    );
}
