//! Every declared hook is documented, listed, and written by somebody in these tests.

use std::fs;
use std::path::Path;
use tch_lightning::Hook;

/// The text of every Rust file in a folder and below.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // what should not compile proves nothing
        if path.is_dir() && !path.ends_with("ui/fail") {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn hooks_are_all_documented_and_written() {
    let mut written = String::new();
    sources(Path::new(env!("CARGO_MANIFEST_DIR")), &mut written);
    for hook in Hook::ALL {
        let about = hook.documentation();
        assert!(
            about.split_whitespace().count() > 3 && about.trim_end().ends_with('.'),
            "`{hook}` lacks documentation: {about}"
        );
        assert!(written.contains(&format!("fn {hook}(")), "no test writes `{hook}`");
    }
}

#[test]
fn hooks_have_the_names_that_lightning_gives_them() {
    // from Lightning 2.6's ModelHooks, DataHooks, CheckpointHooks and LightningModule; `lr_scheduler_step` needs schedulers,
    // which there are none of yet
    let lightnings = "on_fit_start on_fit_end on_train_start on_train_end on_validation_start on_validation_end \
        on_test_start on_test_end on_predict_start on_predict_end on_train_batch_start on_train_batch_end \
        on_validation_batch_start on_validation_batch_end on_test_batch_start on_test_batch_end on_predict_batch_start \
        on_predict_batch_end on_validation_model_zero_grad on_validation_model_eval on_validation_model_train \
        on_test_model_eval on_test_model_train on_predict_model_eval on_train_epoch_start on_train_epoch_end \
        on_validation_epoch_start on_validation_epoch_end on_test_epoch_start on_test_epoch_end on_predict_epoch_start \
        on_predict_epoch_end on_before_zero_grad on_before_backward on_after_backward on_before_optimizer_step \
        configure_sharded_model configure_model prepare_data setup teardown train_dataloader test_dataloader \
        val_dataloader predict_dataloader transfer_batch_to_device on_before_batch_transfer on_after_batch_transfer \
        on_load_checkpoint on_save_checkpoint training_step validation_step test_step predict_step configure_callbacks \
        configure_optimizers backward configure_gradient_clipping optimizer_step optimizer_zero_grad";
    for name in lightnings.split_whitespace() {
        assert!(Hook::ALL.iter().any(|hook| hook.name() == name), "`{name}` is not declared");
    }
}
