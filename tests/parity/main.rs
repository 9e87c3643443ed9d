//! Runs cases, and writes down what happened: `parity CASES.json OUT.json`.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::fs;
use tests::parity::{Case, trace};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "two files are needed: parity CASES.json OUT.json";
    let (cases, out) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let text = fs::read_to_string(&cases).with_context(|| format!("cannot read {cases}"))?;
    let cases: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("{cases} holds no list of cases"))?;
    let traces: Vec<Value> = cases.into_iter().map(traced).collect();
    fs::write(&out, serde_json::to_string_pretty(&traces)?).with_context(|| format!("cannot write {out}"))
}

/// The trace of a case; one that asks for what there is not yet has that as its error.
fn traced(case: Value) -> Value {
    let name = case["name"].clone();
    let trace = serde_json::from_value::<Case>(case).map_err(Into::into).and_then(|case| trace(&case));
    trace.unwrap_or_else(|error| json!({ "name": name, "error": format!("not supported: {error}"), "events": [] }))
}
