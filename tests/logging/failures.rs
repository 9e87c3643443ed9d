//! A run that is resumed where it has failed: what it does again is logged once.

use crate::script::{Recorder, Script, config};
use tch_lightning::prelude::*;
use tch_lightning::{callbacks::OnExceptionCheckpoint, context::Reduction};

type Place = &'static str;

/// Logs sums, a mean and a largest value in every hook of an epoch of six batches, and fails once, at this place.
fn script(fails_at: Option<Place>) -> Script {
    let at = move |here: &str| if fails_at == Some(here) { bail!("no more at {here}") } else { Ok(()) };
    Script::new(6, move |ctx, batch_idx| {
        let value = (batch_idx + 1) as f64;
        ctx.log("sum", value).on_epoch(true).reduce(Reduction::Sum);
        ctx.log("mean", value).on_step(false).on_epoch(true).batch_size(batch_idx + 1);
        ctx.log("largest", -value).on_step(false).on_epoch(true).reduce(Reduction::Max);
        if batch_idx == 3 {
            ctx.log("once", 1).on_step(false).on_epoch(true).reduce(Reduction::Sum);
        }
        at(["step 0", "step 1", "step 2", "step 3", "step 4", "step 5"][batch_idx])
    })
    .at_epoch_start(move |ctx| {
        ctx.log("starts", 1).reduce(Reduction::Sum);
        at("epoch start")
    })
    .at_batch_end(move |ctx, batch_idx| {
        ctx.log("batches", 1).on_step(false).on_epoch(true).reduce(Reduction::Sum);
        at(["end 0", "end 1", "end 2", "end 3", "end 4", "end 5"][batch_idx])
    })
    .at_epoch_end(move |ctx| {
        ctx.log("ends", 1).reduce(Reduction::Sum);
        at("epoch end")
    })
}

#[test]
fn repeated_batches_of_a_resumed_run_are_logged_once() {
    let accumulating = |batches| TrainerConfig { accumulate_grad_batches: batches, ..config() };
    let places = ["epoch start", "step 0", "step 3", "end 3", "step 4", "step 5", "end 5", "epoch end"];
    for (accumulate, place) in [1, 2, 4].into_iter().flat_map(|batches| places.map(|place| (batches, place))) {
        let folder = tempfile::tempdir().unwrap();
        let save = OnExceptionCheckpoint::new(folder.path());
        Trainer::new(accumulating(accumulate)).callback(save.clone()).fit(&mut script(Some(place)), ()).unwrap_err();
        let recorder = Recorder::default();
        let mut trainer = Trainer::new(accumulating(accumulate)).logger(recorder.clone()).ckpt_path(save.ckpt_path());
        trainer.fit(&mut script(None), ()).unwrap();
        let what = format!("after a failure at {place}, with windows of {accumulate}");
        let (_, row) = recorder.rows().pop().unwrap();
        let row: Vec<(&str, f64)> = row.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        // 1 + 2 + … + 6, and (1·1 + 2·2 + … + 6·6) / (1 + 2 + … + 6)
        let expected = [
            ("starts", 1.0),
            ("sum_epoch", 21.0),
            ("mean", 91.0 / 21.0),
            ("largest", -1.0),
            ("batches", 6.0),
            ("once", 1.0),
            ("ends", 1.0),
            ("epoch", 0.0),
        ];
        assert_eq!(row, expected, "{what}");
    }
}
