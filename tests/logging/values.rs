//! The log keeps numbers and copies, never the memory of a tensor that was logged.

use crate::script::{Script, callback_metric, config, fit};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::context::LogValue;
use tch_lightning::metrics::Metric;
use tch_lightning::prelude::*;

/// Adds 1 to a tensor in place in every step, and logs it: 1, 2, 3, 4.
fn counted(kind: Kind, reduction: Reduction, log: impl Fn(&Tensor) -> Tensor + 'static) -> f64 {
    let mut seen = Tensor::zeros([1], (kind, Device::Cpu));
    let script = Script::new(4, move |ctx, _| {
        seen += 1;
        ctx.log("seen", log(&seen)).on_step(false).on_epoch(true).reduce(reduction);
        Ok(())
    });
    fit(config(), script).unwrap().column("seen")[0]
}

#[test]
fn tensor_that_changes_after_it_was_logged_counts_as_it_was() {
    for kind in
        [Kind::Float, Kind::Double, Kind::Half, Kind::BFloat16, Kind::Int64, Kind::Int, Kind::Int16, Kind::Uint8]
    {
        for (reduction, expected) in
            [(Reduction::Mean, 2.5), (Reduction::Sum, 10.0), (Reduction::Min, 1.0), (Reduction::Max, 4.0)]
        {
            let found = counted(kind, reduction, Tensor::shallow_clone);
            assert_eq!(found, expected, "{kind:?} {reduction:?}");
            // a view of the same memory
            assert_eq!(counted(kind, reduction, |seen| seen.squeeze()), expected, "{kind:?} {reduction:?}");
        }
    }
}

#[test]
fn value_of_a_step_is_that_of_the_log_call() {
    let script = Script::new(3, |ctx, batch_idx| {
        let mut value = Tensor::from(batch_idx as f64);
        ctx.log("value", &value);
        value += 100.0;
        assert_eq!(callback_metric(ctx, "value"), Some(batch_idx as f64));
        Ok(())
    });
    assert_eq!(fit(config(), script).unwrap().column("value"), [0.0, 1.0, 2.0]);
}

#[test]
fn tensor_with_lazy_signs_is_read_as_it_is() {
    let script = Script::new(1, |ctx, _| {
        // the imaginary part of a conjugate: its memory holds 3, and a bit says that it is negative
        let complex = Tensor::complex(&Tensor::from(1.0), &Tensor::from(3.0));
        ctx.log("imaginary", complex.conj().imag());
        Ok(())
    });
    assert_eq!(fit(config(), script).unwrap().column("imaginary"), [-3.0]);
}

#[test]
fn nan_propagates_through_min_and_max() {
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::Min, Reduction::Max] {
        for at in [0, 1, 2] {
            let script = Script::new(3, move |ctx, batch_idx| {
                let value = if batch_idx == at { f64::NAN } else { 1.0 };
                ctx.log("number", value).on_epoch(true).reduce(reduction);
                ctx.log("tensor", Tensor::from(value)).on_epoch(true).reduce(reduction);
                Ok(())
            });
            let recorder = fit(config(), script).unwrap();
            assert!(recorder.column("number_epoch")[0].is_nan(), "{reduction:?}");
            assert!(recorder.column("tensor_epoch")[0].is_nan(), "{reduction:?}");
        }
    }
}

#[test]
fn integers_keep_all_their_digits() {
    let script = Script::new(1, |ctx, _| {
        ctx.log("tokens", Tensor::from(16_777_217i64));
        ctx.log("flag", Tensor::from(true));
        Ok(())
    });
    let recorder = fit(config(), script).unwrap();
    assert_eq!((recorder.column("tokens"), recorder.column("flag")), (vec![16_777_217.0], vec![1.0]));
}

#[test]
fn complex_number_is_refused() {
    let script = Script::new(1, |ctx, _| {
        ctx.log("z", Tensor::complex(&Tensor::from(1.0), &Tensor::from(3.0)));
        Ok(())
    });
    let said = fit(config(), script).err().unwrap().to_string();
    assert!(said.contains("`z` was logged with a complex number"), "{said}");
}

/// A name that is a value as well.
struct Level(usize);

impl From<Level> for Cow<'_, str> {
    fn from(Level(level): Level) -> Self {
        format!("level_{level}").into()
    }
}

impl From<Level> for LogValue {
    fn from(Level(level): Level) -> Self {
        level.into()
    }
}

#[test]
fn text_under_a_name_that_is_a_value_is_refused() {
    let script = Script::new(1, |ctx, _| {
        ctx.log(Level(3), "high");
        Ok(())
    });
    let said = fit(config(), script).err().unwrap().to_string();
    let expected = r#"`level_3` was logged with the text "high": `ctx.log_text` logs texts"#;
    assert!(said.ends_with(expected), "{said}");
}

/// A metric of a user's own, whose value is the memory that its update changes.
struct Counter(Tensor);

impl Counter {
    fn handle(&self) -> Self {
        Self(self.0.shallow_clone())
    }

    fn update(&self) {
        let mut count = self.0.shallow_clone();
        count += 1.0;
    }
}

impl Metric for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    fn compute(&self) -> Result<Tensor, tch_lightning::metrics::MetricError> {
        Ok(self.0.shallow_clone())
    }

    fn batch_value(&self) -> Result<Tensor, tch_lightning::metrics::MetricError> {
        Ok(self.0.shallow_clone())
    }

    fn reset(&self) {
        let _ = self.0.shallow_clone().zero_();
    }

    fn state(&self) -> Result<Vec<(String, Tensor)>, tch_lightning::metrics::MetricError> {
        Ok(vec![("count".to_owned(), self.0.copy()), ("updates".to_owned(), Tensor::from(1i64))])
    }

    fn dist_reduce_fx(&self) -> Vec<(String, tch_lightning::metrics::DistReduceFx)> {
        vec![("count".to_owned(), tch_lightning::metrics::DistReduceFx::Sum)]
    }

    fn load_state(&self, _: Vec<(String, Tensor)>) -> Result<(), tch_lightning::metrics::MetricError> {
        Ok(())
    }

    fn shallow_clone(&self) -> Box<dyn Metric> {
        Box::new(self.handle())
    }
}

#[test]
fn step_value_of_a_metric_is_that_of_the_log_call() {
    let counter = Counter(Tensor::from(0.0));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (metric, shown) = (counter.handle(), Rc::clone(&seen));
    let script = Script::new(3, move |ctx, _| {
        metric.update();
        ctx.log("count", &metric);
        metric.update();
        shown.borrow_mut().extend(callback_metric(ctx, "count"));
        Ok(())
    });
    let recorder = fit(config(), script).unwrap();
    assert_eq!(*seen.borrow(), [1.0, 3.0, 5.0]);
    assert_eq!(recorder.column("count"), [1.0, 3.0, 5.0]);
}
