//! Cases of training with two processes, compared with the recorded runs of PyTorch Lightning 2.6.6 under `ddp`.

use super::processes::{output, said};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tests::parity::difference;

/// Where we do better than Lightning, on purpose: on which rank, in which case, and why.
const BETTER: [(usize, &str, &str); 1] = [(
    0,
    "d11_056_fit",
    "the rows of an epoch without an optimizer step have the step -1 in Lightning, which no logger can place: here they have 0",
)];

fn by_name(text: &str) -> BTreeMap<String, Value> {
    let values: Vec<Value> = serde_json::from_str(text).unwrap();
    values.into_iter().map(|value| (value["name"].as_str().unwrap().to_owned(), value)).collect()
}

#[test]
fn cases_of_two_processes_agree_with_lightning() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.json");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/parity/ddp/cases.json");
    let run = output(Command::new(env!("CARGO_BIN_EXE_parity")).arg(cases).arg(&out).arg("2"));
    assert!(run.status.success(), "{}", said(&run));
    let expected = [
        include_str!("../fixtures/parity/ddp/traces.rank0.json"),
        include_str!("../fixtures/parity/ddp/traces.rank1.json"),
    ];
    for (rank, expected) in expected.into_iter().enumerate() {
        let actual = by_name(&std::fs::read_to_string(out.with_extension(format!("rank{rank}.json"))).unwrap());
        let expected = by_name(expected);
        assert_eq!(expected.len(), 70);
        let better = |name: &str| BETTER.iter().any(|(of, better, _)| (*of, *better) == (rank, name));
        let different = expected.iter().filter_map(|(name, trace)| Some((name, difference(trace, &actual[name])?)));
        let (better, worse): (Vec<_>, Vec<_>) = different.partition(|(name, _)| better(name));
        assert!(worse.is_empty(), "rank {rank}: {worse:#?}");
        assert_eq!(better.len(), BETTER.iter().filter(|(of, ..)| *of == rank).count());
    }
}
