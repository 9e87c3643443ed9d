//! Files of other programs, and malicious files.

use crate::refused;
use serde_json::{Value, json};
use tch_lightning::prelude::*;

/// Returns a safetensors file with this header.
fn file(header: &str, elements: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), elements].concat()
}

/// Returns a checkpoint of layout 1, which does not have a checksum, with these tensors.
fn unchecked(tensors: Value, elements: &[u8]) -> Vec<u8> {
    let metadata = json!({ "layout": 1, "tch_lightning": "0.1.0", "module": "", "epoch": 0, "global_step": 0,
        "hyper_parameters": null, "optimizers": [], "extra": {} });
    let mut header = json!({ "__metadata__": { "format": "pt", "tch_lightning": metadata.to_string() } });
    header.as_object_mut().unwrap().extend(tensors.as_object().unwrap().clone());
    file(&header.to_string(), elements)
}

fn damaged(bytes: &[u8]) -> String {
    let said = refused(bytes);
    let reason = said.strip_prefix("the checkpoint FILE is damaged or truncated (");
    reason.and_then(|reason| reason.strip_suffix("): use an earlier one, or train again")).expect(&said).to_owned()
}

#[test]
fn files_of_pytorch_are_distinguished_from_others() {
    let of_torch_save = |bytes: &[u8]| {
        let said = refused(bytes);
        let reason = said.strip_prefix(
            "cannot read FILE, a file of `torch.save`: it is not a zip file, as PyTorch from 1.6 on writes it: ",
        );
        assert!(reason.is_some(), "{said}");
    };
    of_torch_save(b"PK\x03\x04\0\0\x08\x08 archive/data.pkl");
    of_torch_save(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.");
    let foreign =
        "FILE is a safetensors file, but not a checkpoint of tch-lightning: its header does not have `tch_lightning`";
    assert_eq!(refused(&file("{}", b"")), foreign);
    assert_eq!(refused(&file(r#"{"__metadata__":{"format":"pt"}}"#, b"")), foreign);
    assert_eq!(damaged(b"epoch,loss\n1,0.5\n"), "its header claims 8028841062551220325 bytes, but the file has 17");
}

#[test]
fn newer_layout_and_missing_checksum_are_refused() {
    let header = |layout: u32| {
        let text = json!({ "layout": layout }).to_string();
        json!({ "__metadata__": { "tch_lightning": text } }).to_string()
    };
    assert_eq!(
        refused(&file(&header(99), b"")),
        "the checkpoint FILE has layout 99, but this version only reads layouts up to 2: update tch-lightning"
    );
    assert_eq!(damaged(&file(&header(2), b"")), "it has no checksum");
    let odd = json!({ "__metadata__": { "tch_lightning": "{}", "tch_lightning.checksum": "crc32:00000000" } });
    assert_eq!(damaged(&file(&odd.to_string(), b"")), "its `tch_lightning.checksum` is not a checksum");
    let empty = json!({ "__metadata__": { "tch_lightning": "{}" } });
    assert_eq!(damaged(&file(&empty.to_string(), b"")), "its metadata: missing field `layout`");
}

#[test]
fn header_with_excessive_sizes_does_not_allocate_memory() {
    let mut claims = file("{}", b"");
    claims[..8].copy_from_slice(&(1u64 << 42).to_le_bytes());
    assert_eq!(damaged(&claims), "its header claims 4398046511104 bytes, but the file has 10");
    claims[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(damaged(&claims), "its header claims 18446744073709551615 bytes, but the file has 10");
    let terabyte = 1u64 << 40;
    let tensors = json!({ "module.weight": { "dtype": "U8", "shape": [terabyte], "data_offsets": [0, terabyte] } });
    assert_eq!(damaged(&unchecked(tensors, b"1234")), "its tensors need 1099511627776 bytes, but there are 4");
}

#[test]
fn overflowing_shapes_are_refused() {
    let reason = |shape: Value| {
        let tensors = json!({ "w": { "dtype": "F32", "shape": shape, "data_offsets": [0, 0] } });
        damaged(&unchecked(tensors, b""))
    };
    let overflow = "its header: overflow computing buffer size from shape and/or element type";
    assert_eq!(reason(json!([1u64 << 33, 1u64 << 33])), overflow);
    // no elements, but strides that overflow in libtorch
    assert_eq!(reason(json!([0, u64::MAX])), "`w` has the shape [0, 18446744073709551615], which is too large");
    assert_eq!(reason(json!([0, 1u64 << 62])), "`w` has the shape [0, 4611686018427387904], which is too large");
    assert_eq!(reason(json!([2])), "its header: invalid shape, data type, or offset for tensor");
}

#[test]
fn overlapping_and_repeated_tensors_are_refused() {
    let info = |start: usize| json!({ "dtype": "U8", "shape": [2], "data_offsets": [start, start + 2] });
    let overlap = json!({ "one": info(0), "two": info(1) });
    assert_eq!(damaged(&unchecked(overlap, b"123")), "its header: invalid offset for tensor `two`");
    let twice = format!("{{\"one\":{},\"one\":{}}}", info(0), info(0));
    assert_eq!(
        damaged(&file(&twice, b"12")),
        format!("its header: `one` is duplicated at line 1 column {}", twice.len())
    );
}

#[test]
fn unknown_dtypes_and_invalid_bools_are_refused() {
    let reason = |dtype: &str, elements: &[u8]| {
        let length = elements.len();
        let tensors = json!({ "w": { "dtype": dtype, "shape": [1], "data_offsets": [0, length] } });
        damaged(&unchecked(tensors, elements))
    };
    assert_eq!(reason("U64", &[0; 8]), "`w` is of dtype U64, which no tensor of tch has");
    assert_eq!(reason("BOOL", &[2]), "`w` is of dtype BOOL, but has a byte that is neither 0 nor 1");
    assert!(reason("F5", &[2]).starts_with("its header: unknown variant `F5`"));
}

#[test]
fn malformed_headers_are_refused() {
    assert!(damaged(&file("[]", b"")).starts_with("its header: invalid type: sequence, expected an object"));
    assert!(damaged(&file("{", b"")).starts_with("its header: EOF while parsing an object"));
    let said = damaged(&[&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat());
    assert!(said.starts_with("its header is not text: invalid utf-8"), "{said}");
    let deep = format!("{{\"w\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(damaged(&file(&deep, b"")).starts_with("its header: "));
}

#[test]
fn unreadable_checkpoints_are_not_written() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.tensors.insert("__metadata__".to_owned(), Tensor::from(1.0));
    assert_eq!(
        checkpoint.to_bytes().unwrap_err().to_string(),
        "a checkpoint cannot contain a tensor with the name `__metadata__`, which safetensors reserves"
    );
    let mut checkpoint = Checkpoint::default();
    let deep = (0..200).fold(Value::Null, |inner, _| json!([inner]));
    checkpoint.metadata.extra.insert("deep".to_owned(), deep);
    let said = checkpoint.to_bytes().unwrap_err().to_string();
    assert!(said.starts_with("cannot read back the metadata of a checkpoint: recursion limit exceeded"), "{said}");
    let mut checkpoint = Checkpoint::default();
    checkpoint.tensors.insert("w".to_owned(), Tensor::zeros([1], (Kind::ComplexDouble, Device::Cpu)));
    assert_eq!(
        checkpoint.to_bytes().unwrap_err().to_string(),
        "`w` is of dtype ComplexDouble, which a checkpoint cannot contain"
    );
}
