//! Cases of training, held against what PyTorch Lightning 2.6.6 did in the same ones: every hook in order with its counters,
//! the logged rows, the metrics and the final weights. `fixtures/parity/` has the cases, Lightning's traces, and the script
//! that made them.

use serde_json::Value;
use std::collections::BTreeMap;
use tests::parity::{Case, difference, trace};

/// Where we do better than Lightning, on purpose.
const BETTER: [(&str, &str); 1] = [(
    "r1_017_fit",
    "a batch without a loss has no gradients, and PyTorch's clip_grad_value_ fails on an empty list of them: here it clips nothing",
)];

fn fixture(text: &str) -> BTreeMap<String, Value> {
    let values: Vec<Value> = serde_json::from_str(text).unwrap();
    values.into_iter().map(|value| (value["name"].as_str().unwrap().to_owned(), value)).collect()
}

#[test]
fn cases_agree_with_lightning() {
    let cases = fixture(include_str!("fixtures/parity/cases.json"));
    let traces = fixture(include_str!("fixtures/parity/traces.json"));
    let mut different = Vec::new();
    for (name, case) in &cases {
        let actual = serde_json::from_value::<Case>(case.clone()).map_err(Into::into).and_then(|case| trace(&case));
        different.extend(difference(&traces[name], &actual.unwrap()).map(|difference| (name.as_str(), difference)));
    }
    let better = |name: &str| BETTER.iter().any(|(better, _)| *better == name);
    let worse: Vec<_> = different.iter().filter(|(name, _)| !better(name)).collect();
    assert!(worse.is_empty(), "{worse:#?}");
    assert_eq!((cases.len(), different.len()), (127, BETTER.len()));
}
