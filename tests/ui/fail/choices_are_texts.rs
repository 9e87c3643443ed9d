use tch_lightning::callbacks::{EarlyStopping, ModelCheckpoint};
use tch_lightning::prelude::*;
use tch_lightning::schedule::{CyclicLr, ReduceLrOnPlateau};

fn main() {
    let _ = ModelCheckpoint::new().monitor("val_acc").mode("max");
    let _ = EarlyStopping::new("val_loss").mode("min");
    let _ = ReduceLrOnPlateau::default().mode("min");
    let _ = CyclicLr::new(1e-4, 1e-2).mode("triangular2");
    let _ = TrainerConfig::default().accelerator("gpu");
    let _ = TrainerConfig::default().devices("auto");
    let _ = TrainerConfig::default().strategy("ddp");
    let _ = TrainerConfig::default().precision("16-mixed");
    let _ = TrainerConfig::default().deterministic("warn");
    let _ = TrainerConfig::default().float32_matmul_precision("high");
    let _ = TrainerConfig::default().gradient_clip_algorithm("norm");
    let _ = TrainerConfig::default().logger("csv");
    let _ = TrainerConfig::default().profiler("simple");
}
