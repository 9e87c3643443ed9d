//! Trains the language model, and fine-tunes it by adapters, as a user does.

use crate::run::{logged, metric, succeed};
use std::path::Path;

#[test]
fn text_is_learned_and_adapters_learn_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [gpt, lora] = [env!("CARGO_BIN_EXE_gpt"), env!("CARGO_BIN_EXE_lora")];
    succeed(gpt, folder, "fit --max-epochs 3 --width 64 --layers 2 --dropout 0");
    let losses = logged(folder, "version_0", "val_loss");
    // bytes drawn by their frequencies alone have a loss of 3.3
    assert!(losses.len() == 3 && losses[2] < 2.6 && losses[2] < losses[0], "{losses:?}");
    let (text, _) = succeed(gpt, folder, "sample --length 200 --prompt KING");
    assert!(text.starts_with("KING") && text.len() > 190, "{text}");
    assert!(
        text.chars().filter(|letter| letter.is_ascii_alphabetic() || letter.is_whitespace()).count() > 130,
        "{text}"
    );

    succeed(gpt, folder, "export best --weights base.safetensors");
    let (before, _) = succeed(gpt, folder, "validate --ckpt-path best --text licence");
    let (said, log) = succeed(lora, folder, "fit --text licence --max-epochs 10");
    assert!(log.contains("16,384 trainable parameters, 120,576 frozen"), "{log}");
    let run = folder.join(said.lines().find_map(|line| line.strip_prefix("adapter: ")).unwrap().trim());
    let losses = logged(folder, run.parent().unwrap().file_name().unwrap().to_str().unwrap(), "val_loss");
    assert!(losses[9] < metric(&before, "val_loss") - 0.25, "{losses:?}, and {before} without adapters");
    assert!(run.join("adapter_config.json").exists() && run.join("adapter_model.safetensors").exists());
    assert!(run.with_file_name("merged.safetensors").exists());
    // the base is not saved again
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let checkpoints = std::fs::read_dir(run.with_file_name("checkpoints")).unwrap();
    let checkpoint = checkpoints.map(|file| file.unwrap().path()).next().unwrap();
    assert!(size(&checkpoint) < size(&folder.join("base.safetensors")) / 2, "{checkpoint:?}");
    succeed(lora, folder, &format!("fit --text licence --max-epochs 11 --ckpt-path {}", checkpoint.display()));
}
