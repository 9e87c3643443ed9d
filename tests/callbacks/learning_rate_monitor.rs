use crate::model::{Line, config};
use crate::recorder::{Recorder, assert_same};
use crate::table::table;
use tch_lightning::LearningRateMonitor;
use tch_lightning::optim::Algorithm;
use tch_lightning::prelude::*;

struct Halving;

#[lightning_callback]
impl Halving {
    fn on_train_epoch_end(&self, ctx: &mut Context) {
        for optimizer in ctx.optimizers_mut() {
            optimizer.set_lr(optimizer.lr() / 2.0);
        }
    }
}

#[test]
fn rates_are_logged_as_lightning_logs_them() {
    for case in table().learning_rate_monitor {
        let algorithm: Algorithm = match case.optimizer.as_str() {
            "SGD" => Sgd::new(0.1).momentum(0.9).weight_decay(0.01).into(),
            _ => AdamW::new(0.1).into(),
        };
        let recorder = Recorder::default();
        let config = TrainerConfig { log_every_n_steps: 2, accumulate_grad_batches: case.accumulate, ..config() };
        let mut trainer =
            Trainer::new(config).logger(recorder.clone()).callback(case.monitor.clone()).callback(Halving);
        trainer.fit(&mut Line::new(algorithm), ()).unwrap();
        assert_same(&recorder.rows(), &case.rows);
        assert_eq!(trainer.find_callback::<LearningRateMonitor>().unwrap().lrs(), &case.lrs);
    }
}

#[test]
fn a_rate_can_be_monitored() {
    struct Watch;

    #[lightning_callback]
    impl Watch {
        fn on_train_batch_end(&self, ctx: &mut Context) -> Result<()> {
            let metrics = ctx.callback_metrics();
            if metrics.get("lr-SGD") == Some(&0.25) { Ok(()) } else { bail!("{metrics:?}") }
        }
    }

    let mut trainer = Trainer::new(TrainerConfig { log_every_n_steps: 1, ..config() })
        .logger(Recorder::default())
        .callback(LearningRateMonitor::new())
        .callback(Watch);
    trainer.fit(&mut Line::new(Sgd::new(0.25)), ()).unwrap();
}

#[test]
fn without_a_logger_it_says_what_is_missing() {
    let mut trainer = Trainer::new(config()).callback(LearningRateMonitor::new());
    let error = trainer.fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap_err();
    let said = "LearningRateMonitor writes to loggers, and the trainer has none: add one, or leave `logger` at true";
    assert_eq!(error.to_string(), said);
    // nothing is logged in a fast development run, whether or not there is a logger
    let config = TrainerConfig { fast_dev_run: tch_lightning::FastDevRun::from(true), ..config() };
    Trainer::new(config).callback(LearningRateMonitor::new()).fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap();
}
