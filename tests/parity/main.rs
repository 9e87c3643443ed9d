//! Runs cases, and writes down what happened: `parity CASES.json OUT.json [PROCESSES]`.
//!
//! With several processes, which a launcher has started or which this program starts, rank R writes `OUT.rankR.json`.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use tests::parity::{Case, trace, trace_in};

fn main() -> Result<()> {
    tch_lightning::__testing::skip_static_destructors();
    let mut arguments = env::args().skip(1);
    let usage = "two files are needed: parity CASES.json OUT.json [PROCESSES]";
    let (cases, out) = (arguments.next().context(usage)?, PathBuf::from(arguments.next().context(usage)?));
    let processes = arguments.next().or_else(|| env::var("WORLD_SIZE").ok());
    let processes = processes.map_or(Ok(1), |processes| processes.parse()).context("PROCESSES is a number")?;
    let text = fs::read_to_string(&cases).with_context(|| format!("cannot read {cases}"))?;
    let cases: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("{cases} holds no list of cases"))?;
    let folders = out.with_extension("files");
    let traces: Vec<Value> = cases.into_iter().map(|case| traced(case, &folders, processes)).collect();
    let rank = env::var("RANK").unwrap_or_else(|_| "0".to_owned());
    let out = if processes > 1 { out.with_extension(format!("rank{rank}.json")) } else { out };
    fs::write(&out, serde_json::to_string_pretty(&traces)?)
        .with_context(|| format!("cannot write {}", out.display()))?;
    if processes > 1 && rank == "0" {
        fs::remove_dir_all(folders)?;
    }
    Ok(())
}

/// The trace of a case; one that asks for what there is not yet has that as its error.
fn traced(case: Value, folders: &Path, processes: usize) -> Value {
    let name = case["name"].clone();
    let traced = |case: &Case| {
        if processes == 1 {
            return trace(case);
        }
        let folder = folders.join(&case.name);
        fs::create_dir_all(&folder)?;
        trace_in(case, &folder, processes)
    };
    let trace = serde_json::from_value::<Case>(case).map_err(Into::into).and_then(|case| traced(&case));
    trace.unwrap_or_else(|error| json!({ "name": name, "error": format!("not supported: {error}"), "events": [] }))
}
