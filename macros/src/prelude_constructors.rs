//! The constructors of the prelude and its neighbours that take fewer arguments than in Python, each with its form.
//!
//! `tests/ui/pass/forms_of_constructors.rs` compiles the forms.

use crate::source_file::SourceFile;

/// A constructor.
pub(crate) struct Constructor {
    pub(crate) ty: &'static str,
    pub(crate) function: &'static str,
    /// The number of its arguments.
    pub(crate) arguments: usize,
    /// What it takes.
    pub(crate) takes: &'static str,
    /// A call of it, and of a method that sets something else.
    pub(crate) form: &'static str,
}

const LR: &str = "the learning rate alone, as `fn parameters` returns the parameters";

const BY_DEFAULT: &str = "nothing";

const CLASSES: &str = "the number of classes alone";

/// What a constructor takes, the number of its arguments, and its form.
const CONSTRUCTORS: [(&str, usize, &str); 44] = [
    (LR, 1, "Adadelta::new(1.0).weight_decay(0.01)"),
    (LR, 1, "Adafactor::new(1e-2).weight_decay(0.01)"),
    (LR, 1, "Adagrad::new(1e-2).weight_decay(0.01)"),
    (LR, 1, "Adam::new(1e-3).weight_decay(0.01)"),
    (LR, 1, "AdamW::new(1e-3).weight_decay(0.01)"),
    (LR, 1, "Adamax::new(2e-3).weight_decay(0.01)"),
    (LR, 1, "Lbfgs::new(1.0).max_iter(20)"),
    (LR, 1, "Lion::new(1e-4).weight_decay(0.01)"),
    (LR, 1, "Muon::new(1e-3).momentum(0.95)"),
    (LR, 1, "NAdam::new(2e-3).weight_decay(0.01)"),
    (LR, 1, "RAdam::new(1e-3).weight_decay(0.01)"),
    (LR, 1, "RmsProp::new(1e-2).momentum(0.9)"),
    (LR, 1, "Sgd::new(0.1).momentum(0.9)"),
    (BY_DEFAULT, 0, "ConstantLr::default().factor(0.5).total_iters(5)"),
    ("the number of steps to the smallest rate", 1, "CosineAnnealingLr::new(100).eta_min(1e-6)"),
    ("the number of steps to the first restart", 1, "CosineAnnealingWarmRestarts::new(10).t_mult(2)"),
    ("the smallest and the largest rate", 2, "CyclicLr::new(1e-4, 1e-2).step_size_up(100)"),
    ("the factor of each step alone", 1, "ExponentialLr::new(0.95)"),
    ("a function of the number of steps", 1, "LambdaLr::new(|step| 0.95_f64.powf(step as f64))"),
    (BY_DEFAULT, 0, "LinearLr::default().start_factor(0.1).total_iters(10)"),
    ("the steps at which the rate falls", 1, "MultiStepLr::new([30, 60]).gamma(0.1)"),
    ("a function of the number of steps", 1, "MultiplicativeLr::new(|_| 0.95)"),
    ("the largest rate", 1, "OneCycleLr::new(0.1).total_steps(1000)"),
    ("the number of steps", 1, "PolynomialLr::new(100).power(2.0)"),
    (BY_DEFAULT, 0, "ReduceLrOnPlateau::default().factor(0.1).patience(5)"),
    ("the number of steps of a period", 1, "StepLr::new(30).gamma(0.1)"),
    ("the rate of the averaged epochs", 1, "SwaLr::new(0.05).anneal_epochs(5)"),
    ("the name of a submodule", 1, "BackboneFinetuning::new(\"backbone\").unfreeze_backbone_at_epoch(5)"),
    ("the name of a metric", 1, "EarlyStopping::new(\"val_loss\").patience(3)"),
    ("the decay alone", 1, "ExponentialMovingAverage::new(0.999).update_every_n_steps(10)"),
    (BY_DEFAULT, 0, "LearningRateMonitor::new().logging_interval(Interval::Step)"),
    (BY_DEFAULT, 0, "Timer::new().duration(Duration::from_secs(720))"),
    (BY_DEFAULT, 0, "ModelCheckpoint::new().monitor(\"val_loss\").save_top_k(3)"),
    (BY_DEFAULT, 0, "LambdaCallback::new().on_train_end(|_, _| Ok(()))"),
    (BY_DEFAULT, 0, "MetricCollection::new().with(\"val_acc\", Accuracy::multiclass(10))"),
    (CLASSES, 1, "Accuracy::multiclass(10)"),
    (CLASSES, 1, "F1Score::multiclass(10)"),
    (CLASSES, 1, "Recall::multiclass(10)"),
    (CLASSES, 1, "Specificity::multiclass(10)"),
    (CLASSES, 1, "ConfusionMatrix::multiclass(10)"),
    (BY_DEFAULT, 0, "MeanSquaredError::new()"),
    (BY_DEFAULT, 0, "MeanAbsoluteError::new()"),
    ("a dataset", 1, "DataLoader::new(dataset).batch_size(32).shuffle(true)"),
    ("the tensors in one value", 1, "TensorDataset::new((images, labels))?"),
];

/// The types that are not in the prelude, so that a file which does not import them from this crate may mean others.
const NEIGHBOURS: [&str; 12] = [
    "Accuracy",
    "BackboneFinetuning",
    "ConfusionMatrix",
    "ExponentialMovingAverage",
    "F1Score",
    "LambdaCallback",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MetricCollection",
    "Recall",
    "Specificity",
    "Timer",
];

/// Returns whether the file means by this name the type here.
pub(crate) fn is_meant(name: &str, file: &SourceFile) -> bool {
    !file.has_another_type(name) && (!NEIGHBOURS.contains(&name) || file.imports_ours(name))
}

/// Returns the constructor of the type of this name.
pub(crate) fn of(name: &str) -> Option<Constructor> {
    CONSTRUCTORS.iter().find_map(|(takes, arguments, form)| {
        let (ty, rest) = form.split_once("::")?;
        let (function, _) = rest.split_once('(')?;
        (ty == name).then_some(Constructor { ty, function, arguments: *arguments, takes, form })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn forms_are_compiled() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/pass/forms_of_constructors.rs");
        let program = fs::read_to_string(file).unwrap();
        let missing: Vec<&str> =
            CONSTRUCTORS.iter().map(|(_, _, form)| *form).filter(|form| !program.contains(form)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
