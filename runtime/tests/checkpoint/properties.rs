//! Any state is restored from a checkpoint bit for bit.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use tch_lightning::prelude::*;

const KINDS: [Kind; 13] = [
    Kind::Float,
    Kind::Double,
    Kind::Half,
    Kind::BFloat16,
    Kind::Float8e5m2,
    Kind::Float8e4m3fn,
    Kind::ComplexFloat,
    Kind::Int64,
    Kind::Int,
    Kind::Int16,
    Kind::Int8,
    Kind::Uint8,
    Kind::Bool,
];

/// A tensor by its dtype, shape and bytes.
type Parts = (Kind, Vec<i64>, Vec<u8>);

/// Generates tensors of random bytes, which include infinities and NaNs of any payload.
fn parts() -> impl Strategy<Value = Parts> {
    let shape = vec(0i64..4, 0..4);
    (proptest::sample::select(&KINDS[..]), shape).prop_flat_map(|(kind, shape)| {
        let length = shape.iter().product::<i64>() as usize * kind.elt_size_in_bytes();
        let byte = if kind == Kind::Bool { 0..=1 } else { 0..=u8::MAX };
        (Just(kind), Just(shape), vec(byte, length))
    })
}

fn made((kind, shape, bytes): &Parts) -> Tensor {
    Tensor::from_data_size(bytes, shape, *kind)
}

fn taken_apart(tensor: &Tensor) -> Parts {
    let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    (tensor.kind(), tensor.size(), bytes)
}

fn json() -> impl Strategy<Value = Value> {
    let number =
        any::<f64>().prop_filter_map("a number of JSON", |value| Some(serde_json::Number::from_f64(value)?.into()));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number,
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn state_is_restored(
        tensors in btree_map(any::<String>(), parts(), 0..8),
        extra in btree_map(any::<String>(), json(), 0..4),
        module in any::<String>(),
    ) {
        let mut checkpoint = Checkpoint::default();
        checkpoint.metadata.module = module.clone();
        checkpoint.metadata.extra = extra.clone();
        checkpoint.tensors = tensors.iter().map(|(name, parts)| (name.clone(), made(parts))).collect();
        let bytes = checkpoint.to_bytes().unwrap();
        let read = Checkpoint::from_bytes(&bytes).unwrap();
        let found: BTreeMap<String, Parts> =
            read.tensors.iter().map(|(name, tensor)| (name.clone(), taken_apart(tensor))).collect();
        prop_assert_eq!(found, tensors);
        prop_assert_eq!(&read.metadata.extra, &extra);
        prop_assert_eq!(&read.metadata.module, &module);
        prop_assert_eq!(read.to_bytes().unwrap(), bytes);
    }
}
