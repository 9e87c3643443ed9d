use crate::model::{Line, assert_values, config};
use crate::recorder::{Recorder, Row, assert_same};
use crate::table::table;
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::prelude::*;
use tch_lightning::{
    Every,
    callbacks::{LambdaCallback, ModelCheckpoint, StochasticWeightAveraging},
    checkpoint::SaveRequest,
};

fn sgd() -> Sgd {
    Sgd::new(0.1)
}

/// The learning rate of each epoch.
#[derive(Clone, Default)]
struct Rates(Rc<RefCell<Vec<f64>>>);

#[lightning_callback]
impl Rates {
    fn on_train_epoch_start(&self, ctx: &mut Context) {
        self.0.borrow_mut().push(ctx.optimizers()[0].lr());
    }
}

#[test]
fn averages_rates_and_statistics_are_lightnings() {
    for (number, case) in table().stochastic_weight_averaging.into_iter().enumerate() {
        let mut line = if case.normed { Line::normed(sgd()) } else { Line::new(sgd()) };
        let (recorder, rates) = (Recorder::default(), Rates::default());
        let config = TrainerConfig { log_every_n_steps: 1, ..case.trainer.with(config()) };
        let max_epochs = config.max_epochs;
        let mut trainer = Trainer::new(config).logger(recorder.clone()).callback(case.swa).callback(rates.clone());
        trainer.fit(&mut line, ()).unwrap_or_else(|error| panic!("case {number}: {error}"));
        let differs = |(rate, expected): (&f64, &f64)| (rate - expected).abs() > 1e-12;
        assert_eq!(rates.0.borrow().len(), case.rates.len(), "case {number}");
        assert!(!rates.0.borrow().iter().zip(&case.rates).any(differs), "{:?}, not {:?}", rates.0, case.rates);
        // in the epoch of the batch norms Lightning's optimizer steps once, without gradients, and so a loss is logged
        let is_left_out = |row: &Row| {
            let epoch = row.1["epoch"] as i64;
            Some(epoch) == max_epochs && row.1.contains_key("train_loss")
        };
        let expected: Vec<Row> = case.rows.into_iter().filter(|row| !is_left_out(row)).collect();
        assert_same(&recorder.rows(), &expected);
        assert_values(&mut line, &case.model);
        assert_eq!(trainer.find_callback::<StochasticWeightAveraging>().unwrap().n_averaged(), case.n_averaged);
        assert_eq!(trainer.context().current_epoch(), case.epoch);
        assert_eq!(trainer.context().config().max_epochs, max_epochs);
    }
}

#[test]
fn epoch_of_the_batch_norms_takes_no_step() {
    let swa = StochasticWeightAveraging::new(0.02).swa_epoch_start(1);
    let mut trainer = Trainer::new(config()).callback(swa);
    trainer.fit(&mut Line::normed(sgd()), ()).unwrap();
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (4, 12));
    // the trainer can be used again
    trainer.fit(&mut Line::normed(sgd()), ()).unwrap();
    assert_eq!((trainer.context().current_epoch(), trainer.context().global_step()), (4, 12));
}

#[test]
fn run_that_is_resumed_continues_with_its_average_and_its_rate() {
    struct SaveAfterEpoch(usize, std::path::PathBuf);

    #[lightning_callback]
    impl SaveAfterEpoch {
        fn on_train_epoch_end(&self, ctx: &mut Context) {
            if ctx.current_epoch() == self.0 {
                ctx.save_checkpoint(SaveRequest::new(&self.1));
            }
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let config = || TrainerConfig { max_epochs: Some(5), ..config() };
    let swa = || StochasticWeightAveraging::new(0.02).swa_epoch_start(2).annealing_epochs(3);
    for epoch in [0, 2] {
        let path = folder.path().join(format!("{epoch}.ckpt"));
        let (mut whole, mut resumed) = (Line::normed(sgd()), Line::normed(sgd()));
        let mut trainer = Trainer::new(config()).callback(swa()).callback(SaveAfterEpoch(epoch, path.clone()));
        trainer.fit(&mut whole, ()).unwrap();
        Trainer::new(config()).callback(swa()).ckpt_path(&path).fit(&mut resumed, ()).unwrap();
        for (name, tensor) in whole.vs.variables() {
            assert_eq!(resumed.vs.variables()[&name], tensor, "{name}, after epoch {epoch}");
        }
    }
}

#[test]
fn invalid_settings_are_refused() {
    let refused = |swa: StochasticWeightAveraging, config: TrainerConfig| {
        Trainer::new(config).callback(swa).fit(&mut Line::new(sgd()), ()).unwrap_err().to_string()
    };
    let endless = TrainerConfig { max_epochs: Some(-1), max_steps: Some(10), ..config() };
    let told = [
        refused(StochasticWeightAveraging::new(0.0), config()),
        refused(StochasticWeightAveraging::new(0.1).swa_epoch_start(0), config()),
        refused(StochasticWeightAveraging::new(0.1).swa_epoch_start(1.5), config()),
        refused(StochasticWeightAveraging::new(0.1), endless),
        refused(StochasticWeightAveraging::new([0.1, 0.2]), config()),
    ];
    let expected = [
        "StochasticWeightAveraging: `swa_lrs` must be finite and above 0",
        "StochasticWeightAveraging: `swa_epoch_start` must be at least 1, but it is 0",
        "StochasticWeightAveraging: `swa_epoch_start` must be from 0 to 1 as a fraction, but it is 1.5",
        "StochasticWeightAveraging: `swa_epoch_start` is a fraction, but the number of epochs is not limited: set an epoch instead",
        "StochasticWeightAveraging: swa_lrs must be one value for all parameter groups, or a list with one for each, but it \
         has 2 values for 1 groups",
    ];
    assert_eq!(told, expected);
}

#[test]
fn run_resumed_in_the_epoch_of_the_batch_norms_takes_no_step_either() {
    let folder = tempfile::tempdir().unwrap();
    let swa = || StochasticWeightAveraging::new(0.02).swa_epoch_start(1);
    let saves = ModelCheckpoint::new().dirpath(folder.path()).filename("{epoch}-{batch}").save_top_k(-1);
    let batch = LambdaCallback::new().on_train_batch_start(|ctx, _: &mut Line, _, batch_idx| {
        ctx.log("batch", batch_idx);
    });
    let mut whole = Line::normed(sgd());
    let mut trainer = Trainer::new(config()).callback(swa()).callback(batch).callback(saves.every(Every::Batches(1)));
    trainer.fit(&mut whole, ()).unwrap();
    for batch in 0..4 {
        let mut resumed = Line::normed(sgd());
        let file = folder.path().join(format!("epoch=3-batch={batch}.0.ckpt"));
        let mut trainer = Trainer::new(config()).callback(swa()).ckpt_path(file);
        trainer.fit(&mut resumed, ()).unwrap();
        assert_eq!(
            (trainer.context().current_epoch(), trainer.context().global_step()),
            (4, 12),
            "after batch {batch}"
        );
        let (resumed, whole) = (resumed.vs.variables(), whole.vs.variables());
        assert!(whole.iter().all(|(name, tensor)| resumed[name].equal(tensor)), "after batch {batch}");
    }
}
