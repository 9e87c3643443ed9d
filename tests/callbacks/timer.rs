use crate::model::{Line, config};
use crate::table::table;
use std::time::Duration;
use tch_lightning::prelude::*;
use tch_lightning::{RunningStage, callbacks::Timer, trainer::Span};

fn line() -> Line {
    Line::new(Sgd::new(0.1))
}

fn epoch_and_step(trainer: &Trainer<Line>) -> (usize, usize) {
    (trainer.context().current_epoch(), trainer.context().global_step())
}

#[test]
fn training_ends_where_lightnings_does() {
    for case in table().timer {
        let mut timer = Timer::new().interval(case.interval).verbose(false);
        timer.duration = case.microseconds.map(|time| Duration::from_micros(time).into());
        let mut trainer = Trainer::new(case.trainer.with(config())).callback(timer);
        trainer.fit(&mut line(), ()).unwrap();
        assert_eq!(epoch_and_step(&trainer), (case.epoch, case.step), "{case:?}");
    }
}

#[test]
fn max_time_ends_training() {
    let config = TrainerConfig { max_epochs: None, max_time: Some(Span(Duration::from_micros(1))), ..config() };
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut line(), ()).unwrap();
    assert_eq!(epoch_and_step(&trainer), (1, 1));
    assert!(trainer.find_callback::<Timer>().is_some());
}

#[test]
fn timer_overrides_max_time() {
    let config = TrainerConfig { max_time: Some(Span(Duration::from_micros(1))), ..config() };
    let mut trainer = Trainer::new(config).callback(Timer::new());
    trainer.fit(&mut line(), ()).unwrap();
    assert_eq!(epoch_and_step(&trainer), (3, 12));
}

#[test]
fn stages_are_measured_from_their_start_to_their_end() {
    use RunningStage::{Testing, Training, Validating};
    let mut trainer = Trainer::new(config()).callback(Timer::new());
    trainer.fit(&mut line(), ()).unwrap();
    let timer = trainer.find_callback::<Timer>().unwrap();
    let of = |stage| Some((timer.start_time(stage)?, timer.end_time(stage)?));
    let ((train_start, train_end), (val_start, val_end)) = (of(Training).unwrap(), of(Validating).unwrap());
    assert!(train_start < val_start && val_start < val_end && val_end < train_end);
    assert_eq!(timer.time_elapsed(Training), train_end - train_start);
    assert_eq!((of(Testing), timer.time_elapsed(Testing)), (None, Duration::ZERO));
}

#[test]
fn resumed_run_has_what_is_left_of_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.ckpt");
    let mut trainer = Trainer::new(TrainerConfig { max_epochs: Some(1), ..config() }).callback(Timer::new());
    trainer.fit(&mut line(), ()).unwrap();
    trainer.save_checkpoint(&mut line(), (), &path).unwrap();
    let mut checkpoint = Checkpoint::read(&path).unwrap();
    let saved = checkpoint.metadata.callbacks["Timer"]["time_elapsed"].as_f64().unwrap();
    let elapsed = trainer.find_callback::<Timer>().unwrap().time_elapsed(RunningStage::Training);
    assert!((saved - elapsed.as_secs_f64()).abs() < 1e-9);

    // as if the first epoch had taken two hours
    checkpoint.metadata.callbacks.insert("Timer".to_owned(), serde_json::json!({ "time_elapsed": 7200.0 }));
    checkpoint.write(&path).unwrap();
    for (hours, epochs) in [(1, 1), (3, 3)] {
        let timer = Timer::new().duration(Duration::from_secs(hours * 3600)).verbose(false);
        let mut trainer = Trainer::new(config()).callback(timer).ckpt_path(&path);
        trainer.fit(&mut line(), ()).unwrap();
        assert_eq!(trainer.context().current_epoch(), epochs, "{hours} hours");
        let elapsed = trainer.find_callback::<Timer>().unwrap().time_elapsed(RunningStage::Training);
        assert!(elapsed >= Duration::from_secs(7200));
    }
}

#[test]
fn fit_starts_without_the_times_of_the_previous_run() {
    use RunningStage::{Testing, Training, Validating};
    let mut trainer = Trainer::new(config()).callback(Timer::new());
    trainer.test(&mut line(), ()).unwrap();
    trainer.fit(&mut line(), ()).unwrap();
    let elapsed = |trainer: &Trainer<Line>, stage| trainer.find_callback::<Timer>().unwrap().time_elapsed(stage);
    assert_eq!(elapsed(&trainer, Testing), Duration::ZERO);
    assert!(elapsed(&trainer, Training) > Duration::ZERO && elapsed(&trainer, Validating) > Duration::ZERO);
    // a test leaves the times of the training that it follows
    let training = elapsed(&trainer, Training);
    trainer.test(&mut line(), ()).unwrap();
    assert_eq!(elapsed(&trainer, Training), training);

    // without validation data, no validation has taken any time
    let loader = crate::model::loader(0, 4).unwrap();
    trainer.fit(&mut line(), tch_lightning::Loaders::train(loader)).unwrap();
    assert_eq!(elapsed(&trainer, Validating), Duration::ZERO);
}
