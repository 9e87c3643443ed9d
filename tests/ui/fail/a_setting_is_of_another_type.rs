use tch_lightning::prelude::*;

fn main() {
    let _config = TrainerConfig::default().gradient_clip_val(1);
    let _config = TrainerConfig::default().max_epochs(5.0);
    let _config = TrainerConfig::default().limit_train_batches("10%");
    let _config = TrainerConfig::default().enable_progress_bar("no");
}
