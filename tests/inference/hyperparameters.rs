//! `load_from_checkpoint`: the hyperparameters of the loaded module.

use clap::Args;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch_lightning::checkpoint::Checkpoint;
use tch_lightning::prelude::*;

#[derive(Args, Debug, PartialEq, Serialize, Deserialize)]
struct Weighted {
    /// The weight of each class by its name
    #[arg(long, value_parser = weights, default_value = "cat=1,dog=1")]
    weights: BTreeMap<String, f64>,
    /// The width of the hidden layer
    #[arg(long)]
    width: i64,
    #[command(flatten)]
    inner: Inner,
}

#[derive(Args, Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    /// The number of layers
    #[arg(long, default_value_t = 2)]
    depth: i64,
    /// Whether layers have a bias
    #[arg(long)]
    bias: bool,
}

fn weights(text: &str) -> Result<BTreeMap<String, f64>> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, weight)| Ok((name.to_owned(), weight.parse()?))).collect()
}

struct OfWeights {
    vs: nn::VarStore,
    hparams: Weighted,
}

#[lightning_module]
impl OfWeights {
    fn new(hparams: Weighted) -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

/// Returns the hyperparameters of a module that is loaded from a checkpoint with these values.
fn loaded_with(hyper_parameters: serde_json::Value) -> Result<Weighted, tch_lightning::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weighted.ckpt");
    let mut checkpoint = Checkpoint::default();
    checkpoint.metadata.hyper_parameters = Some(hyper_parameters);
    checkpoint.write(&path).unwrap();
    OfWeights::load_from_checkpoint(&path).map(|module| module.hparams)
}

#[test]
fn load_from_checkpoint_replaces_maps_and_completes_structs() {
    let saved = serde_json::json!({ "weights": { "bird": 2.0 }, "width": 3, "inner": { "bias": true } });
    let weights = BTreeMap::from([("bird".to_owned(), 2.0)]);
    let expected = Weighted { weights, width: 3, inner: Inner { depth: 2, bias: true } };
    assert_eq!(loaded_with(serde_json::json!({ "model": saved })).unwrap(), expected);
    // those of a program's own `main` need not be in a section
    assert_eq!(loaded_with(saved).unwrap(), expected);
    // a required flag does not have a default
    let refused = loaded_with(serde_json::json!({ "model": { "weights": {} } })).unwrap_err().to_string();
    assert!(refused.ends_with("do not fit the model: missing field `width`"), "{refused}");
}
