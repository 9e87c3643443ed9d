//! Keys of Lightning's `Trainer` that [`TrainerConfig`](super::TrainerConfig) does not have. A value that equals Lightning's default
//! is ignored; for others, a mistake names the replacement.

use serde_json::Value;

/// The treatment of a key of Lightning.
pub(super) enum LightningKey {
    /// The value has the same meaning as no value.
    Ignored,
    /// The value is not supported; the text says what to do instead.
    Unsupported(String),
}

/// Looks up a key. Returns `None` for a key that Lightning does not have either, or that the configuration has.
pub(super) fn lightning_key(key: &str, value: &Value) -> Option<LightningKey> {
    let (is_neutral, instead): (bool, &str) = match key {
        "callbacks" => return Some(callbacks(value)),
        "logger" => return value.is_null().then_some(LightningKey::Ignored),
        "inference_mode" | "sync_batchnorm" => (value.is_boolean(), ""),
        "barebones" => (
            *value == Value::Bool(false),
            "set `logger`, `enable_checkpointing`, `enable_progress_bar` and `enable_model_summary` to false, and \
             `num_sanity_val_steps` to 0",
        ),
        "plugins" => (is_empty(value), "set `precision` instead"),
        "enable_autolog_hparams" => (*value == Value::Bool(true), "hyperparameters are always logged: remove it"),
        "model_registry" => (false, "a model registry is not supported: remove it"),
        "auto_lr_find" => (*value == Value::Bool(false), "return a `LearningRateFinder` from `configure_callbacks`"),
        "auto_scale_batch_size" => {
            (*value == Value::Bool(false), "return a `BatchSizeFinder` from `configure_callbacks`")
        }
        "gpus" => (*value == 0, "write `accelerator: gpu` and `devices`"),
        "resume_from_checkpoint" => (false, "write `ckpt_path`, outside of `trainer`"),
        "checkpoint_callback" => (false, "write `enable_checkpointing`"),
        "terminate_on_nan" => (false, "write `on_non_finite_loss: stop`"),
        "track_grad_norm" => (*value == -1, "log `grad_norms` of the optimizer in `on_before_optimizer_step`"),
        _ => return None,
    };
    let is_neutral = is_neutral || value.is_null();
    Some(if is_neutral { LightningKey::Ignored } else { LightningKey::Unsupported(instead.to_owned()) })
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn callbacks(value: &Value) -> LightningKey {
    if value.is_null() || is_empty(value) {
        return LightningKey::Ignored;
    }
    let instead = "add them to the trainer, `Trainer::callbacks`, or return them from the module's `configure_callbacks`; a configuration \
                   file of a program may have them";
    LightningKey::Unsupported(instead.to_owned())
}
