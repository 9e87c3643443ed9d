use crate::model::{Line, Rows, config, loader};
use crate::table::table;
use tch_lightning::prelude::*;
use tch_lightning::{Loaders, trainer::BatchSizeFinder};

/// A model that is out of memory where a batch has more rows than a limit.
struct Sized {
    line: Line,
    limit: i64,
    says: &'static str,
}

#[lightning_module]
impl Sized {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.line.vs
    }

    fn training_step(&mut self, batch: &Rows) -> Result<Tensor> {
        if batch.0.size()[0] > self.limit {
            bail!("{}", self.says);
        }
        Ok(self.line.layer.forward(&batch.0).square().mean(Kind::Float))
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.1)
    }
}

/// What is found, and the sizes that were tried.
fn found(finder: &BatchSizeFinder, sized: &mut Sized, rows: i64) -> (Result<usize, String>, Vec<usize>) {
    let mut tried = Vec::new();
    let data = |size| {
        tried.push(size);
        Ok(Loaders::train(loader(0, rows / 2)?.batch_size(size)))
    };
    let found = Trainer::new(config()).scale_batch_size(sized, data, finder);
    (found.map_err(|error| error.to_string()), tried)
}

fn sized(limit: i64) -> Sized {
    Sized { line: Line::new(Sgd::new(0.1)), limit, says: "CUDA out of memory." }
}

#[test]
fn sizes_are_lightnings() {
    for case in table().batch_size_finder {
        let mut sized = sized(case.limit);
        let before = sized.line.layer.ws.copy();
        let (found, tried) = found(&case.finder, &mut sized, case.rows);
        assert_eq!((found, tried), (Ok(case.found), case.tried.clone()), "{case:?}");
        assert_eq!(sized.line.layer.ws, before);
    }
}

#[test]
fn search_without_a_fitting_size_fails_with_the_reason() {
    let (found, tried) = found(&BatchSizeFinder::new(), &mut sized(0), 20);
    assert_eq!(tried, [2, 1]);
    assert!(found.unwrap_err().ends_with("CUDA out of memory."));
}

#[test]
fn errors_other_than_out_of_memory_end_the_search() {
    let mut sized = Sized { says: "no labels", ..sized(3) };
    let (found, tried) = found(&BatchSizeFinder::new(), &mut sized, 20);
    assert_eq!(tried, [2, 4]);
    assert!(found.unwrap_err().ends_with("no labels"));
}

#[test]
fn invalid_settings_are_refused() {
    let refused = |finder| found(&finder, &mut sized(9), 20).0.unwrap_err();
    let said = "BatchSizeFinder: `init_val`, `steps_per_trial`, `max_trials` and `max_val` must be at least 1";
    assert_eq!(refused(BatchSizeFinder::new().init_val(0)), said);
    assert_eq!(refused(BatchSizeFinder::new().margin(1.0)), "BatchSizeFinder: `margin` must be at least 0 and below 1");
}
