//! Files of weights in several shards and of other programs, and the choice of what is loaded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::json;
use tch_lightning::checkpoint::weights;
use tch_lightning::prelude::*;

/// Variables of two elements, each of this value.
fn variables(values: &[(&str, f64)]) -> nn::VarStore {
    let vs = nn::VarStore::new(Device::Cpu);
    for (name, value) in values {
        let _ = vs.root().var(name, &[2], nn::Init::Const(*value));
    }
    vs
}

fn save(folder: &Path, file: &str, values: &[(&str, f64)]) {
    weights::save(&variables(values), folder.join(file)).unwrap();
}

/// The first element of each variable.
fn values(vs: &nn::VarStore) -> BTreeMap<String, f64> {
    vs.variables().into_iter().map(|(name, variable)| (name, variable.double_value(&[0]))).collect()
}

/// A folder with two shards and an index that says where each tensor is.
fn shards(first: &[(&str, f64)], second: &[(&str, f64)], index: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "1.safetensors", first);
    save(folder.path(), "2.safetensors", second);
    let map: BTreeMap<&str, &str> = index.iter().copied().collect();
    let index = json!({ "metadata": { "total_size": 16 }, "weight_map": map });
    fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    folder
}

fn refused(folder: &tempfile::TempDir) -> String {
    let said = weights::open(folder).err().unwrap().to_string();
    said.replace(&folder.path().display().to_string(), "")
}

#[test]
fn tensors_are_taken_from_the_shard_that_the_index_names() {
    let index = [("a", "1.safetensors"), ("b", "2.safetensors")];
    // the first shard also has a tensor that the index says to be in the second
    let folder = shards(&[("a", 1.0), ("b", -1.0)], &[("b", 2.0)], &index);
    let mut vs = variables(&[("a", 0.0), ("b", 0.0)]);
    weights::open(&folder).unwrap().load(&mut vs).unwrap();
    assert_eq!(values(&vs), BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 2.0)]));
}

#[test]
fn an_index_that_does_not_fit_its_files_is_refused() {
    let index = [("a", "1.safetensors"), ("b", "2.safetensors"), ("c", "2.safetensors")];
    let folder = shards(&[("a", 1.0)], &[("b", 2.0)], &index);
    assert!(
        refused(&folder).contains("`c` is not in `2.safetensors`, the file that it names for it"),
        "{}",
        refused(&folder)
    );
    let folder = shards(&[("a", 1.0)], &[("b", 2.0)], &[("a", "1.safetensors"), ("b", "3.safetensors")]);
    assert!(
        refused(&folder).contains("`3.safetensors`, which it names, is not next to it: copy or download it too"),
        "{}",
        refused(&folder)
    );
    let folder = shards(&[("a", 1.0)], &[("b", 2.0)], &[("a", "../1.safetensors")]);
    assert!(
        refused(&folder).contains("`../1.safetensors` is not the name of a file next to it"),
        "{}",
        refused(&folder)
    );
}

#[test]
fn several_patterns_of_only_are_loaded_together() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "all.safetensors", &[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let mut vs = variables(&[("a", 0.0), ("b", 0.0), ("c", 0.0)]);
    weights::open(folder.path().join("all.safetensors")).unwrap().only("a").only("b").load(&mut vs).unwrap();
    let expected = [("a", 1.0), ("b", 2.0), ("c", 0.0)].map(|(name, value)| (name.to_owned(), value));
    assert_eq!(values(&vs), BTreeMap::from(expected));
}

#[test]
fn files_that_are_whole_are_not_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        weights::open(&file).err().unwrap().to_string().replace(&file.display().to_string(), "FILE")
    };
    let header = r#"{"x":{"dtype":"U16","shape":[2],"data_offsets":[0,4]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 4]].concat();
    assert_eq!(
        refused("dtype.safetensors", &bytes),
        "cannot read FILE: `x` is of dtype U16, which no tensor of tch has: convert it in Python"
    );
    let array = b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n\0\0\0\0\0\0\0\0";
    assert_eq!(
        refused("array.npy", array),
        "FILE has no weights: it is a file of NumPy: write its arrays in Python by `safetensors.numpy.save_file`"
    );
}
