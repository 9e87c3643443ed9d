//! What the other steps return is their own affair, and what comes after them is given it.

use std::collections::BTreeMap;
use tch_lightning::prelude::*;

struct Model {
    vs: nn::VarStore,
    means: Vec<f64>,
}

#[lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn validation_step(&mut self, batch: &Tensor) -> Result<(f64, &'static str)> {
        Ok((batch.double_value(&[]), "mean"))
    }

    fn on_validation_batch_end(&mut self, outputs: &(f64, &'static str)) {
        self.means.push(outputs.0);
    }

    fn test_step(&mut self, batch: &Tensor) -> Option<BTreeMap<String, Tensor>> {
        Some([("batch".to_owned(), batch.shallow_clone())].into())
    }

    fn predict_step(&mut self, batch: &Tensor) -> Box<dyn Fn(&Tensor) -> Tensor> {
        let batch = batch.shallow_clone();
        Box::new(move |other| other + &batch)
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 4);
}
