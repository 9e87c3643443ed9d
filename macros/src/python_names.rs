//! What Lightning calls otherwise in Python: the methods and attributes of its module, its trainer, its callbacks and its loggers, and the
//! parameters of its hooks.

use crate::hooks::{Hook, Role};

/// A name, and what to write instead.
type Instead = (&'static str, &'static str);

const MANUALLY: &str = "write `#[lightning_module(automatic_optimization = false)]` above the block";

/// The methods and attributes that a Python user writes on `self`, `ctx`, a tensor or a logger. A method of a type that has the name is
/// that method: the table holds for types without one.
const METHODS: [Instead; 121] = [
    // of the module: `self.log(…)`
    ("log", "write `ctx.log(\"loss\", &loss)`"),
    ("log_dict", "write `ctx.log_all([(\"loss\", &loss), (\"norm\", &norm)])`"),
    (
        "save_hyperparameters",
        "remove it: those of `fn new(hparams: Hparams) -> Self` are logged and saved in checkpoints",
    ),
    ("hparams", "keep them in a field: `self.hparams.lr`"),
    ("hparams_initial", "keep them in a field: `self.hparams.lr`"),
    ("optimizers", "write `ctx.optimizer(0)`, and `ctx.manual_step(self, 0)?` for its step"),
    ("lr_schedulers", "write `ctx.lr_schedulers()`"),
    ("manual_backward", "write `ctx.manual_backward(self, &loss)?`"),
    ("toggle_optimizer", "write `ctx.toggle_optimizer(0)`"),
    ("untoggle_optimizer", "write `ctx.untoggle_optimizer()`"),
    ("toggled_optimizer", "write `ctx.toggle_optimizer(0)`, and `ctx.untoggle_optimizer()` at its end"),
    ("clip_gradients", "write `ctx.clip_gradients(0, 1.0, GradientClipAlgorithm::Norm)?`"),
    ("all_gather", "write `ctx.all_gather(&tensor)?`"),
    ("print", "write `ctx.print(\"…\")`"),
    ("automatic_optimization", MANUALLY),
    ("current_epoch", "write `ctx.current_epoch()`"),
    ("global_step", "write `ctx.global_step()`"),
    ("device", "write `ctx.device()`"),
    ("dtype", "write `self.parameters().kind()`"),
    ("on_gpu", "write `ctx.device().is_cuda()`"),
    ("global_rank", "write `ctx.rank().global`"),
    ("local_rank", "write `ctx.rank().local`"),
    ("node_rank", "write `ctx.rank().node`"),
    (
        "trainer",
        "in a hook, use `ctx: &mut Context`; for `Model::trainer()`, write `#[lightning_module]` above the block of the hooks",
    ),
    ("logger", "write `ctx.find_logger::<TensorBoardLogger>()`"),
    ("loggers", "write `ctx.loggers()`"),
    ("fabric", "use `ctx: &mut Context`"),
    ("device_mesh", "use `ctx.rank()`"),
    ("to_onnx", "the trainer writes TorchScript: `trainer.to_torchscript(&mut model, &mut data, \"model.pt\")?`"),
    ("to_torchscript", "the trainer writes it: `trainer.to_torchscript(&mut model, &mut data, \"model.pt\")?`"),
    ("example_input_array", "remove it: the model summary reads the shapes of the first batch"),
    // of `torch.nn.Module`: `self.eval()`
    (
        "eval",
        "remove it: the trainer does so before an evaluation, and outside of a run `is_training()` is false; in a hook, write `ctx.set_training(false)`",
    ),
    ("train", "remove it: the trainer does so before training; in a hook, write `ctx.set_training(true)`"),
    ("to", "remove it: the trainer moves the module and its batches to `ctx.device()`"),
    ("cuda", "remove it: the trainer moves the module and its batches to `ctx.device()`"),
    (
        "cpu",
        "write `to_device(Device::Cpu)` on a tensor; a metric's value is a number already, and the trainer moves the module and its batches",
    ),
    ("zero_grad", "write `ctx.optimizer(0).zero_grad()?`"),
    ("named_parameters", "write `self.parameters().variables()`"),
    ("named_buffers", "write `self.parameters().variables()`"),
    ("register_buffer", "make it in `new`: `vs.root().zeros_no_train(\"name\", &[1])`"),
    ("register_parameter", "make it in `new`: `vs.root().zeros(\"name\", &[1])`"),
    ("requires_grad_", "write `self.freeze()` or `self.unfreeze()`"),
    // of a tensor: `loss.item()`
    (
        "item",
        "of a metric, remove it, as the value is a number; of a tensor, write `double_value(&[])`, which waits for the device; `ctx.log` takes the tensor itself",
    ),
    ("numpy", "write `Vec::<f64>::try_from(&tensor)?`"),
    ("tolist", "write `Vec::<f64>::try_from(&tensor)?`"),
    ("float", "write `to_kind(Kind::Float)`"),
    ("long", "write `to_kind(Kind::Int64)`"),
    // of the trainer: `self.trainer.max_epochs`
    ("fit", "start the next run after this one: `trainer.fit(&mut model, &mut data)?`"),
    ("validate", "start the next run after this one: `trainer.validate(&mut model, &mut data)?`"),
    ("test", "start the next run after this one: `trainer.test(&mut model, &mut data)?`"),
    ("predict", "start the next run after this one: `trainer.predict(&mut model, &mut data)?`"),
    ("logged_metrics", "write `ctx.callback_metrics()`"),
    ("max_epochs", "write `ctx.config().max_epochs`"),
    ("min_epochs", "write `ctx.config().min_epochs`"),
    ("max_steps", "write `ctx.config().max_steps`"),
    ("min_steps", "write `ctx.config().min_steps`"),
    ("max_time", "write `ctx.config().max_time`"),
    ("limit_train_batches", "write `ctx.config().limit_train_batches`"),
    ("limit_val_batches", "write `ctx.config().limit_val_batches`"),
    ("limit_test_batches", "write `ctx.config().limit_test_batches`"),
    ("limit_predict_batches", "write `ctx.config().limit_predict_batches`"),
    ("overfit_batches", "write `ctx.config().overfit_batches`"),
    ("fast_dev_run", "write `ctx.config().fast_dev_run`"),
    ("val_check_interval", "write `ctx.config().val_check_interval`"),
    ("check_val_every_n_epoch", "write `ctx.config().check_val_every_n_epoch`"),
    ("num_sanity_val_steps", "write `ctx.config().num_sanity_val_steps`"),
    ("reload_dataloaders_every_n_epochs", "write `ctx.config().reload_dataloaders_every_n_epochs`"),
    ("accumulate_grad_batches", "write `ctx.config().accumulate_grad_batches`"),
    ("gradient_clip_val", "write `ctx.config().gradient_clip_val`"),
    ("gradient_clip_algorithm", "write `ctx.config().gradient_clip_algorithm`"),
    ("log_every_n_steps", "write `ctx.config().log_every_n_steps`"),
    ("default_root_dir", "write `ctx.config().default_root_dir`"),
    ("num_nodes", "write `ctx.config().num_nodes`"),
    ("accelerator", "write `ctx.config().accelerator`"),
    ("precision", "write `ctx.config().precision`"),
    ("strategy", "write `ctx.config().strategy`"),
    ("profiler", "write `ctx.config().profiler`"),
    ("num_devices", "write `ctx.config().devices`"),
    ("device_ids", "write `ctx.config().devices`"),
    ("datamodule", "keep what the model needs of it in a field: `fn new(hparams: Hparams, data: &Data) -> Self`"),
    ("lightning_module", "use `self` in a module's hook, and `module` in a callback's"),
    ("callbacks", "keep what the callback reports in the module, through `module` of its hooks"),
    (
        "checkpoint_callback",
        "write `ctx.save_checkpoint(SaveRequest::at(\"last.ckpt\"))` to save, and keep the `ModelCheckpoint` to read it",
    ),
    ("early_stopping_callback", "write `ctx.stop_because(\"…\")` to end the run"),
    ("progress_bar_metrics_dict", "write `ctx.progress_bar_metrics()`"),
    ("num_test_batches", "write `ctx.total_batches()`"),
    ("num_predict_batches", "write `ctx.total_batches()`"),
    ("training", "write `is_training()`"),
    ("validating", "write `ctx.running_stage() == RunningStage::Validating`"),
    ("testing", "write `ctx.running_stage() == RunningStage::Testing`"),
    ("predicting", "write `ctx.running_stage() == RunningStage::Predicting`"),
    ("evaluating", "write `ctx.stage() != Stage::Fit`"),
    ("state", "write `ctx.stage()`"),
    ("interrupted", "write `ctx.end_reason()`"),
    ("received_sigterm", "write `ctx.end_reason()`"),
    ("lr_scheduler_configs", "write `ctx.lr_schedulers()`"),
    ("scaler", "write `ctx.grad_scaler()`"),
    ("fit_loop", "write `ctx.current_epoch()` and `ctx.batch_idx()`"),
    ("val_dataloaders", "keep the loader's size in the data module, or write `ctx.total_batches()`"),
    ("test_dataloaders", "keep the loader's size in the data module, or write `ctx.total_batches()`"),
    ("predict_dataloaders", "keep the loader's size in the data module, or write `ctx.total_batches()`"),
    // of a logger's `experiment`: `self.logger.experiment.add_image(…)`
    (
        "experiment",
        "write `ctx.log_image`, `ctx.log_text`, `ctx.log_histogram` or `ctx.find_logger_mut::<TensorBoardLogger>()`",
    ),
    ("add_scalar", "write `ctx.log(\"name\", value)`"),
    ("add_scalars", "write `ctx.log_all([(\"name\", value)])`"),
    ("add_image", "write `ctx.log_image(\"name\", &image)`"),
    ("add_images", "write `ctx.log_images(\"name\", &images)`"),
    ("add_histogram", "write `ctx.log_histogram(\"name\", &values)`"),
    ("add_text", "write `ctx.log_text(\"name\", \"…\")`"),
    // of `self.log(…)`, of a loader and of a scheduler's dictionary
    ("reduce_fx", "write `.reduce(Reduction::Max)`"),
    ("num_workers", "write `DataLoader::with_workers(dataset, 4)`"),
    ("with_workers", "write `DataLoader::with_workers(dataset, 4)`, which makes the loader"),
    ("workers", "write `DataLoader::with_workers(dataset, 4)`"),
    ("collate_fn", "write `.collate_with(…)` on the dataset, or implement `Collate` for the sample's type"),
    (
        "load_state_dict",
        "write `tch_lightning::checkpoint::weights::load(self.parameters(), \"weights.safetensors\")?`",
    ),
    (
        "state_dict",
        "write `tch_lightning::checkpoint::weights::save(self.parameters(), \"weights.safetensors\")?`, or `self.parameters().variables()`",
    ),
    ("interval", "write `LrSchedulerConfig::from(scheduler).interval(Interval::Step)`, and give it to `lr_scheduler`"),
    ("frequency", "write `LrSchedulerConfig::from(scheduler).frequency(2)`, and give it to `lr_scheduler`"),
    ("log_metrics", "write `ctx.log_all([(\"name\", value)])`"),
    ("log_hyperparams", "remove it: those of `fn new(hparams: Hparams) -> Self` are logged"),
    // losses that Python calls
    ("criterion", "write a function of tensors: `outputs.cross_entropy_for_logits(&labels)`"),
    ("loss_fn", "write a function of tensors: `outputs.cross_entropy_for_logits(&labels)`"),
];

/// Methods of other libraries and of older versions of Lightning: the name, where it is from, and what to write instead.
const OF_OTHER_LIBRARIES: [(&str, &str, &str); 14] = [
    ("backward_step", "tch", "remove it: the trainer does both with the loss that `training_step` returns"),
    ("collate_with", "PyTorch", "write it on the dataset: `DataLoader::new(dataset.collate_with(…))`"),
    ("compile", "Keras", "remove it: the hooks of the model have its loss, its optimizer and its metrics"),
    ("epochs", "Keras", "write `.max_epochs(5)`"),
    ("evaluate", "Keras", "write `trainer.validate(&mut model, &mut data)?`"),
    ("fit_one_cycle", "fastai", "return `OneCycleLr` with the optimizer from `configure_optimizers`"),
    ("gpus", "Lightning 1", "write `.accelerator(Accelerator::Gpu).devices(1)`"),
    ("lora_alpha", "PEFT", "write `.alpha(16.0)`"),
    ("lora_dropout", "PEFT", "write `.dropout(0.1)`"),
    ("restore_best_weights", "Keras", "write `.restore_best(true)`"),
    ("save_best_only", "Keras", "write `.save_top_k(1)`"),
    ("seed_everything", "Lightning's configuration files", "write `seed_everything(42);` before the model is made"),
    ("stop_training", "Keras", "write `ctx.stop_because(\"…\")`"),
    ("summary", "Keras", "remove it: `fit` prints the summary of the model at its start"),
];

/// Names of fields with a layer, which Python calls: `self.net(x)`.
const LAYERS: [&str; 18] = [
    "backbone",
    "classifier",
    "conv",
    "conv1",
    "conv2",
    "decoder",
    "discriminator",
    "embedding",
    "encoder",
    "fc",
    "fc1",
    "fc2",
    "generator",
    "head",
    "layer",
    "linear",
    "model",
    "net",
];

/// Names of fields with a metric, which Python calls: `self.accuracy(outputs, labels)`.
const METRICS: [&str; 12] = [
    "acc",
    "accuracy",
    "auroc",
    "f1",
    "metric",
    "recall",
    "test_acc",
    "test_accuracy",
    "train_acc",
    "train_accuracy",
    "val_acc",
    "val_accuracy",
];

/// A name that is written as a method.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// Where it is from.
    pub(crate) library: &'static str,
    /// What to write instead.
    pub(crate) instead: String,
}

/// Returns the names that users of other libraries write as methods.
pub(crate) fn methods() -> impl Iterator<Item = Method> {
    let of_python = |name, instead| Method { name, library: "Lightning's Python", instead };
    let methods = METHODS.iter().map(move |(name, instead)| of_python(*name, (*instead).to_owned()));
    let layers = LAYERS.iter().map(move |name| of_python(*name, format!("write `self.{name}.forward(&input)`")));
    let metrics = METRICS.iter().map(move |name| {
        of_python(*name, format!("write `self.{name}.update(&outputs, &labels)?`, and log `&self.{name}`"))
    });
    let others = OF_OTHER_LIBRARIES.iter().map(|(name, library, instead)| {
        let instead = (*instead).to_owned();
        Method { name, library, instead }
    });
    methods.chain(layers).chain(metrics).chain(others)
}

/// Returns what to write for an attribute of the module, its trainer or a logger, such as `self.current_epoch`.
pub(crate) fn attribute(name: &str) -> Option<&'static str> {
    METHODS.iter().find(|(known, _)| *known == name).map(|(_, instead)| *instead)
}

/// Methods of Lightning's module that no type has by chance.
const OF_LIGHTNING: [&str; 14] = [
    "all_gather",
    "clip_gradients",
    "log",
    "log_dict",
    "lr_schedulers",
    "manual_backward",
    "optimizers",
    "print",
    "save_hyperparameters",
    "to_onnx",
    "to_torchscript",
    "toggle_optimizer",
    "toggled_optimizer",
    "untoggle_optimizer",
];

/// Returns what to write for a method of Lightning's module that is called on `self`, or on `ctx`, which has some of them.
pub(crate) fn method_of_lightning(name: &str, is_context: bool) -> Option<&'static str> {
    let is_known = match is_context {
        true => ["log_dict", "save_hyperparameters", "toggled_optimizer"].contains(&name),
        false => OF_LIGHTNING.contains(&name),
    };
    is_known.then(|| attribute(name)).flatten()
}

/// What a hook reads from Python's `trainer` and finds in its context under the same name, or almost.
const OF_TRAINER: [Instead; 16] = [
    ("callback_metrics", "write `ctx.callback_metrics()`"),
    ("ckpt_path", "write `ctx.ckpt_path()`"),
    ("estimated_stepping_batches", "write `ctx.estimated_stepping_batches()`"),
    ("is_global_zero", "write `ctx.is_global_zero()`"),
    ("is_last_batch", "write `ctx.is_last_batch()`"),
    ("log_dir", "write `ctx.log_dir()`"),
    ("model", "use `self` in a module's hook, and `module` in a callback's"),
    ("num_training_batches", "write `ctx.num_training_batches()`"),
    ("num_val_batches", "write `ctx.num_val_batches()`"),
    ("optimizer", "write `ctx.optimizer(0)`"),
    ("progress_bar_metrics", "write `ctx.progress_bar_metrics()`"),
    ("sanity_checking", "write `ctx.sanity_checking()`"),
    ("save_checkpoint", "write `ctx.save_checkpoint(SaveRequest::at(\"last.ckpt\"))`"),
    ("should_stop", "write `ctx.stop()` to end the run, and `ctx.should_stop()` to read it"),
    ("stage", "write `ctx.stage()`"),
    ("world_size", "write `ctx.world_size()`"),
];

/// Returns what to write for an attribute of Python's `trainer`, such as `self.trainer.world_size`.
pub(crate) fn of_trainer(name: &str) -> Option<&'static str> {
    OF_TRAINER.iter().find(|(known, _)| *known == name).map(|(_, instead)| *instead)
}

/// Whether a context has a method of this name, so that only its parentheses are missing.
pub(crate) fn is_of_context(name: &str) -> bool {
    attribute(name).is_some_and(|instead| instead.contains(&format!("`ctx.{name}()`")))
}

/// Returns the call of a method for an argument with a name, as in `self.log("loss", loss, prog_bar=True)`.
pub(crate) fn method_for(name: &str, value: &str) -> String {
    match name {
        "prog_bar" => ".prog_bar()".to_owned(),
        "reduce_fx" => ".reduce(Reduction::Max)".to_owned(),
        _ => format!(".{name}({value})"),
    }
}

/// Methods of the context that take another argument than in Python, what they take, and their form.
const FORMS: [(&str, &str, &str); 3] = [
    ("log", "a name and a value", "ctx.log(\"loss\", &loss)"),
    ("manual_backward", "the module and the loss", "ctx.manual_backward(self, &loss)?"),
    ("manual_step", "the module and the number of an optimizer", "ctx.manual_step(self, 0)?"),
];

/// Returns what a method of the context takes, and its form.
pub(crate) fn form(method: &str) -> Option<(&'static str, &'static str)> {
    FORMS.iter().find(|(known, _, _)| *known == method).map(|(_, all, form)| (*all, *form))
}

/// The methods that a Python user defines in a module, and what to write instead.
const OF_MODULES: [Instead; 5] = [
    ("automatic_optimization", MANUALLY),
    ("__init__", "write `fn new(hparams: Hparams) -> Self`"),
    ("example_input_array", "remove it, as the model summary reads the shapes of the first batch"),
    ("strict_loading", "remove it, as a checkpoint must fit the module"),
    ("configure_parameters", "write `configure_optimizers`"),
];

/// Those of a data module or a callback.
const OF_OTHERS: [Instead; 1] = [("__init__", "write `fn new() -> Self`")];

/// Returns what to write for a method that a Python user defines.
pub(crate) fn definition(role: Role, name: &str) -> Option<&'static str> {
    let table: &[Instead] = if role == Role::Module { &OF_MODULES } else { &OF_OTHERS };
    table.iter().find(|(known, _)| *known == name).map(|(_, instead)| *instead)
}

/// Whether a Python user means the constructor by the name.
pub(crate) fn is_constructor(name: &str) -> bool {
    name == "__init__"
}

/// A parameter of Lightning's hooks, its name here if it has one, and what to write instead.
const PARAMETERS: [(&str, Option<&str>, &str); 12] = [
    ("trainer", Some("ctx"), "what Lightning's `trainer` has in a hook is in `ctx: &mut Context`"),
    ("pl_module", Some("module"), MODULE),
    ("lightning_module", Some("module"), MODULE),
    ("model", Some("module"), MODULE),
    ("outputs", None, "keep what the step returns in a field, and read it from `self`"),
    ("optimizer_idx", Some("optimizer"), "write `optimizer: OptimizerIndex`"),
    ("opt_idx", Some("optimizer"), "write `optimizer: OptimizerIndex`"),
    ("optimizer_idx", None, SEVERAL_OPTIMIZERS),
    ("opt_idx", None, SEVERAL_OPTIMIZERS),
    ("optimizer_closure", Some("closure"), "write `closure: &mut StepClosure<'_, Self>`"),
    ("batch_nb", Some("batch_idx"), "write `batch_idx: usize`"),
    ("hiddens", None, "keep it in a field"),
];

const SEVERAL_OPTIMIZERS: &str = "with several optimizers, write `#[lightning_module(automatic_optimization = false)]` above the block, and use \
    `ctx.optimizer(0)` and `ctx.optimizer(1)` in it";

const MODULE: &str = "write `module: &mut Model`, or for every module `module: &mut impl LightningModule`";

/// Returns what to write for a parameter of Lightning that the hook does not have.
pub(crate) fn parameter(hook: Hook, asked: &str) -> Option<&'static str> {
    let has = |name: &str| hook.parameter(name).is_some();
    let known = PARAMETERS.iter().find(|(name, here, _)| *name == asked && here.is_none_or(has));
    known.map(|(_, _, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_there_once() {
        let names: std::collections::HashSet<&str> = methods().map(|method| method.name).collect();
        assert_eq!(names.len(), methods().count());
    }
}
