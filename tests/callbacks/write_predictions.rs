use crate::model::{Line, Rows, config, loader};
use crate::table::{Call, table};
use tch_lightning::prelude::*;
use tch_lightning::{
    Loaders, RunContext,
    callbacks::{PredictionWriter, WriteInterval, WritePredictions},
};

#[derive(Default)]
struct Calls(Vec<Call>);

fn values(prediction: &Tensor) -> Vec<f64> {
    Vec::try_from(prediction.flatten(0, -1).to_kind(Kind::Double)).unwrap()
}

impl PredictionWriter<Line> for Calls {
    fn write_on_batch_end(
        &mut self,
        _: &mut RunContext,
        line: &mut Line,
        prediction: &Tensor,
        batch: &Rows,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        assert_eq!(*prediction, line.layer.forward(&batch.0));
        self.0.push(Call(Some((batch_idx, dataloader_idx)), vec![values(prediction)]));
        Ok(())
    }

    fn write_on_epoch_end(&mut self, _: &mut RunContext, _: &mut Line, predictions: &[Tensor]) -> Result<()> {
        self.0.push(Call(None, predictions.iter().map(values).collect()));
        Ok(())
    }
}

fn line() -> Line {
    Line::new(Sgd::new(0.1))
}

#[test]
fn writer_gets_what_lightnings_gets() {
    for case in table().write_predictions {
        let write = WritePredictions::new(Calls::default()).write_interval(case.write_interval);
        let mut trainer = Trainer::new(config()).callback(write);
        let loaders = vec![loader(3000, 2).unwrap(), loader(3100, 1).unwrap()];
        let predictions = trainer.predict(&mut line(), Loaders::evaluation(loaders)).unwrap();
        assert_eq!(predictions.len(), 3);
        let calls = &trainer.find_callback::<WritePredictions<Calls>>().unwrap().writer().0;
        assert_eq!(calls.len(), case.calls.len(), "{:?}", case.write_interval);
        for (call, expected) in calls.iter().zip(&case.calls) {
            assert_eq!((call.0, call.1.len()), (expected.0, expected.1.len()));
            let pairs = call.1.iter().flatten().zip(expected.1.iter().flatten());
            assert!(
                pairs.into_iter().all(|(value, expected)| (value - expected).abs() < 1e-6),
                "{call:?}, not {expected:?}"
            );
        }
    }
}

#[test]
fn writers_and_the_caller_get_the_same() {
    let write = || WritePredictions::new(Calls::default()).write_interval(WriteInterval::Epoch);
    let mut trainer = Trainer::new(config()).callback(write()).callback(write());
    let predictions = trainer.predict(&mut line(), ()).unwrap();
    let first = trainer.find_callback::<WritePredictions<Calls>>().unwrap().writer().0.clone();
    assert_eq!(first, [Call(None, predictions.iter().map(values).collect())]);
}

#[test]
fn method_that_is_not_overridden_is_an_error_when_called() {
    struct Nothing;

    impl PredictionWriter<Line> for Nothing {}

    let error = Trainer::new(config()).callback(WritePredictions::new(Nothing)).predict(&mut line(), ()).unwrap_err();
    let said = "`on_predict_batch_end` of the callback WritePredictions failed in `predict` at batch 0: the writer does \
                not implement `write_on_batch_end`: implement it, or write all predictions at the end with \
                `WritePredictions::new(…).write_interval(WriteInterval::Epoch)`";
    assert_eq!(error.to_string(), said);
}
