use crate::model::{Line, config, loader};
use crate::table::table;
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, trainer::LearningRateFinder};

fn line() -> Line {
    Line::new(Sgd::new(0.1).lr_scheduler(StepLr::new(1)))
}

/// Whether two lists are the same to single precision.
fn are_close(values: &[f64], expected: &[f64]) -> bool {
    let is_close = |(value, expected): (&f64, &f64)| (value - expected).abs() <= 5e-5 * expected.abs();
    values.len() == expected.len() && values.iter().zip(expected).all(is_close)
}

#[test]
fn curves_and_suggestions_are_lightnings() {
    for case in table().learning_rate_finder {
        let curve = Trainer::new(config()).lr_find(&mut line(), (), &case.finder).unwrap();
        assert!(are_close(&curve.lrs, &case.curve.lrs), "{:?}, not {:?}", curve.lrs, case.curve.lrs);
        assert!(are_close(&curve.losses, &case.curve.losses), "{:?}, not {:?}", curve.losses, case.curve.losses);
        assert!(are_close(&[curve.suggestion().unwrap()], &[case.suggestion]), "{:?}", case.finder);
    }
}

#[test]
fn training_after_a_test_is_as_one_without() {
    let fitted = |test: bool| {
        let mut line = Line::normed(Sgd::new(0.1));
        let mut trainer = Trainer::new(config());
        if test {
            trainer.lr_find(&mut line, (), &LearningRateFinder::new()).unwrap();
        }
        trainer.fit(&mut line, ()).unwrap();
        line.vs.variables()
    };
    let (with, without) = (fitted(true), fitted(false));
    for (name, tensor) in &without {
        assert_eq!(with[name], *tensor, "{name}");
    }
}

#[test]
fn test_that_fails_leaves_the_weights_as_they_were() {
    struct Fragile(Line, usize);

    #[lightning_module]
    impl Fragile {
        fn parameters(&mut self) -> &mut nn::VarStore {
            &mut self.0.vs
        }

        fn training_step(&mut self, batch: &(Tensor, Tensor)) -> Result<Tensor> {
            self.1 += 1;
            if self.1 == 5 {
                bail!("no more");
            }
            Ok(self.0.layer.forward(&batch.0).square().mean(Kind::Float))
        }

        fn configure_optimizers(&self) -> Sgd {
            Sgd::new(0.1)
        }
    }

    let mut fragile = Fragile(line(), 0);
    let before = fragile.0.layer.ws.copy();
    let finder = LearningRateFinder::new().min_lr(0.1).early_stop_threshold(None);
    let data = Loaders::train(loader(0, 4).unwrap());
    let error = Trainer::new(config()).lr_find(&mut fragile, data, &finder).unwrap_err();
    assert!(error.to_string().ends_with("no more"), "{error}");
    assert_eq!(fragile.0.layer.ws, before);
}

#[test]
fn invalid_settings_are_refused() {
    let refused =
        |finder: LearningRateFinder| Trainer::new(config()).lr_find(&mut line(), (), &finder).unwrap_err().to_string();
    let told =
        [refused(LearningRateFinder::new().min_lr(0.0)), refused(LearningRateFinder::new().num_training_steps(0))];
    let expected = [
        "LearningRateFinder: `min_lr` and `max_lr` must be numbers above 0",
        "LearningRateFinder: `num_training_steps` must be at least 1, but it is 0",
    ];
    assert_eq!(told, expected);
}
