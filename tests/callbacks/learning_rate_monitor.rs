use crate::model::{Line, config};
use crate::recorder::{Recorder, assert_same};
use crate::table::table;
use tch_lightning::callbacks::LearningRateMonitor;
use tch_lightning::optim::{Adagrad, Algorithm, ParameterGroups};
use tch_lightning::prelude::*;
use tch_lightning::schedule::{Interval, LrSchedulerConfig};

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
fn groups_and_schedulers_have_lightnings_names_and_moments() {
    for case in table().scheduled_learning_rate_monitor {
        let sgd = Sgd::new(0.1).momentum(0.9);
        let groups = ParameterGroups::new(sgd).group("layer.bias", Sgd { lr: 0.01, ..sgd });
        let mut scheduler = LrSchedulerConfig::from(StepLr::new(2)).interval(case.scheduler.interval);
        scheduler.name = case.scheduler.name;
        let recorder = Recorder::default();
        let config = TrainerConfig { log_every_n_steps: 2, ..config() };
        let monitor = LearningRateMonitor::new().log_momentum(true);
        let mut trainer = Trainer::new(config).logger(recorder.clone()).callback(monitor);
        trainer.fit(&mut Line::new(groups.lr_scheduler(scheduler)), ()).unwrap();
        assert_same(&recorder.rows(), &case.rows);
        let lrs = trainer.find_callback::<LearningRateMonitor>().unwrap().lrs();
        assert!(lrs.keys().eq(case.lrs.keys()));
        let pairs = lrs.values().flatten().zip(case.lrs.values().flatten());
        assert!(pairs.into_iter().all(|(lr, expected)| (lr - expected).abs() < 1e-12), "{lrs:?}");
    }
}

#[test]
fn momentum_that_is_not_there_is_logged_as_0() {
    let recorder = Recorder::default();
    let monitor = LearningRateMonitor::new().log_momentum(true).logging_interval(Interval::Epoch);
    let mut trainer = Trainer::new(config()).logger(recorder.clone()).callback(monitor);
    trainer.fit(&mut Line::new(Adagrad::new(0.1)), ()).unwrap();
    assert_eq!(recorder.rows()[0].1["lr-Adagrad-momentum"], 0.0);
}

#[test]
fn rate_can_be_monitored() {
    struct Watch;

    #[lightning_callback]
    impl Watch {
        fn on_train_batch_end(&self, ctx: &mut Context) -> Result<()> {
            let metrics = ctx.callback_metrics();
            if metrics.get("lr-SGD") == Some(0.25) { Ok(()) } else { bail!("{metrics:?}") }
        }
    }

    let mut trainer = Trainer::new(TrainerConfig { log_every_n_steps: 1, ..config() })
        .logger(Recorder::default())
        .callback(LearningRateMonitor::new())
        .callback(Watch);
    trainer.fit(&mut Line::new(Sgd::new(0.25)), ()).unwrap();
}

#[test]
fn missing_logger_is_an_error() {
    let mut trainer = Trainer::new(config()).callback(LearningRateMonitor::new());
    let error = trainer.fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap_err();
    let said = "LearningRateMonitor writes to loggers, but the trainer has none: add one, or leave `logger` at true";
    assert_eq!(error.to_string(), said);
    // nothing is logged in a fast development run, whether or not there is a logger
    let config = TrainerConfig { fast_dev_run: tch_lightning::trainer::FastDevRun::from(true), ..config() };
    Trainer::new(config).callback(LearningRateMonitor::new()).fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap();
}

#[test]
fn rates_of_the_previous_run_are_cleared() {
    // a run that trains nothing logs no rates
    let mut trainer = Trainer::new(TrainerConfig { max_epochs: Some(1), ..config() }).logger(Recorder::default());
    trainer = trainer.callback(LearningRateMonitor::new());
    trainer.fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap();
    let rates = |trainer: &Trainer<Line>| {
        trainer.find_callback::<LearningRateMonitor>().unwrap().lrs().values().map(Vec::len).sum::<usize>()
    };
    assert_eq!(rates(&trainer), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("done.ckpt");
    trainer.save_checkpoint(&mut Line::new(Sgd::new(0.1)), (), &path).unwrap();
    trainer = trainer.ckpt_path(path);
    trainer.fit(&mut Line::new(Sgd::new(0.1)), ()).unwrap();
    assert_eq!(rates(&trainer), 0);
}
