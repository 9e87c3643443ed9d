//! Cases of training, held against what PyTorch Lightning 2.6.6 did in the same ones: every hook in order with its counters,
//! the logged rows, the metrics and the final weights. `fixtures/parity/` has the cases, Lightning's traces, and the script
//! that made them.

use serde_json::Value;
use std::collections::BTreeMap;
use tests::parity::{Case, difference, trace};

/// The cases whose options the trainer has.
const SUPPORTED: usize = 82;

fn fixture(text: &str) -> BTreeMap<String, Value> {
    let values: Vec<Value> = serde_json::from_str(text).unwrap();
    values.into_iter().map(|value| (value["name"].as_str().unwrap().to_owned(), value)).collect()
}

#[test]
fn every_case_that_can_be_run_is_lightnings() {
    let cases = fixture(include_str!("fixtures/parity/cases.json"));
    let traces = fixture(include_str!("fixtures/parity/traces.json"));
    let (mut supported, mut differences) = (Vec::new(), Vec::new());
    for (name, case) in cases {
        let traced = serde_json::from_value::<Case>(case).map_err(Into::into).and_then(|case| trace(&case));
        match traced {
            Ok(actual) => {
                differences
                    .extend(difference(&traces[&name], &actual).map(|difference| format!("{name}: {difference}")));
                supported.push(name);
            }
            Err(error) => println!("{name} is left out: {error}"),
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(supported.contains(&"fit".to_owned()));
    assert_eq!(supported.len(), SUPPORTED, "{supported:?}");
}
