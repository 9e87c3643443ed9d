//! Tests of samples of plain values, which are not tensors, and of files of tokens.

use tch_lightning::data::{DistributedSampler, LengthGroupedSampler, TokenBudgetSampler, TokenFile};
use tch_lightning::prelude::*;

#[derive(Clone, Collate)]
#[collate(batch = Measurements)]
struct Measurement {
    values: [f32; 3],
    label: i64,
    mask: Vec<bool>,
    pixels: [[u8; 2]; 2],
    name: String,
}

#[derive(Batch, Debug, PartialEq)]
struct Measurements {
    #[batch("N 3", f32)]
    values: Tensor,
    #[batch("N", i64, 0..)]
    label: Tensor,
    #[batch("N 2", bool)]
    mask: Tensor,
    #[batch("N 2 2", u8)]
    pixels: Tensor,
    name: Vec<String>,
}

fn measurement(index: u8) -> Measurement {
    let value = f32::from(index);
    Measurement {
        values: [value, value + 0.25, value + 0.5],
        label: i64::from(index),
        mask: vec![index.is_multiple_of(2), true],
        pixels: [[index, 1], [2, 3]],
        name: format!("sample {index}"),
    }
}

#[test]
fn struct_of_plain_values_is_joined_into_a_struct_of_tensors() {
    let loader = DataLoader::new(vec![measurement(1), measurement(2)]).batch_size(2);
    let batch = loader.epoch(0).unwrap().next().unwrap().unwrap();
    let expected = Measurements {
        values: Tensor::from_slice2(&[[1.0_f32, 1.25, 1.5], [2.0, 2.25, 2.5]]),
        label: Tensor::from_slice(&[1_i64, 2]),
        mask: Tensor::from_slice2(&[[false, true], [true, true]]),
        pixels: Tensor::from_slice(&[1_u8, 1, 2, 3, 2, 1, 2, 3]).view([2, 2, 2]),
        name: vec!["sample 1".to_owned(), "sample 2".to_owned()],
    };
    assert_eq!(batch, expected);
}

#[test]
fn list_of_numbers_becomes_a_tensor() {
    let loader = DataLoader::new(vec![(vec![0.5_f32, 1.0], vec![[1_u8], [2]]); 3]).batch_size(3);
    let (lists, pixels) = loader.epoch(0).unwrap().next().unwrap().unwrap();
    assert_eq!((lists.size(), lists.kind()), (vec![3, 2], Kind::Float));
    assert_eq!((pixels.size(), pixels.kind()), (vec![3, 2, 1], Kind::Uint8));
}

#[test]
fn workers_read_the_same_plain_samples() {
    let samples: Vec<Measurement> = (0..50).map(measurement).collect();
    let read = |workers| {
        let loader = DataLoader::with_workers(samples.clone(), workers).batch_size(7).shuffle(true).seed(3);
        loader.epoch(2).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(read(0), read(3));
}

#[test]
fn list_of_another_length_is_named_with_its_field() {
    let mut samples = vec![measurement(1), measurement(2)];
    samples[1].mask.push(false);
    let said = DataLoader::new(samples).batch_size(2).epoch(0).unwrap().next().unwrap().unwrap_err().to_string();
    assert_eq!(
        said,
        "batch 0 could not be read: invalid shape: `mask`: the lists of a batch must have the same length, but the first \
         sample's has 2 elements and sample 1's has 3"
    );
}

#[test]
fn epoch_of_tokens_continues_at_any_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.bin");
    std::fs::write(&path, (0..1000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    let windows = TokenFile::<u32>::open(&path).unwrap().windows(16).unwrap();
    let loader = |workers| DataLoader::with_workers(windows.clone(), workers).batch_size(4).shuffle(true).seed(3);
    let read = |workers, from| loader(workers).epoch(1).unwrap().skip_to(from).collect::<Result<Vec<_>, _>>().unwrap();
    let all = read(0, 0);
    assert_eq!(all[5..], read(2, 5));
    for (inputs, targets) in &all {
        assert_eq!(inputs + 1, *targets);
    }
}

/// The lengths are the samples themselves.
#[test]
fn epoch_grouped_by_length_continues_at_any_batch() {
    let lengths: Vec<i64> = (0..100).map(|index| index * 37 % 61 + 1).collect();
    let of = || lengths.iter().map(|length| *length as usize).collect::<Vec<_>>();
    let grouped = || {
        let loader = DataLoader::new(lengths.clone()).batch_size(8).seed(3);
        loader.sampler(LengthGroupedSampler::new(of(), 8))
    };
    let budget = || {
        let sampler = TokenBudgetSampler::new(of(), 128).unwrap();
        DataLoader::with_workers(lengths.clone(), 2).batch_sampler(sampler).seed(3)
    };
    let read = |loader: DataLoader<Tensor>, epoch, from| {
        loader.epoch(epoch).unwrap().skip_to(from).collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(read(grouped(), 4, 0)[6..], read(grouped(), 4, 6));
    assert_eq!(read(budget(), 4, 0)[6..], read(budget(), 4, 6));
    assert_ne!(read(budget(), 4, 0), read(budget(), 5, 0));
    for batch in read(budget(), 4, 0) {
        assert!(batch.size()[0] * batch.max().int64_value(&[]) <= 128);
    }
}

#[test]
fn number_of_lengths_is_that_of_the_samples() {
    let samples = || vec![1_i64, 2, 3, 4, 5];
    let lengths = || vec![1, 2, 3];
    let grouped = || DataLoader::new(samples()).batch_size(2).sampler(LengthGroupedSampler::new(lengths(), 2));
    let divided = grouped().map_sampler(|sampler| DistributedSampler::new(sampler, 0, 2)).unwrap();
    let budget = DataLoader::new(samples()).batch_sampler(TokenBudgetSampler::new(lengths(), 8).unwrap());
    for loader in [grouped(), divided, budget] {
        assert_eq!(
            loader.epoch(0).err().unwrap().to_string(),
            "the sampler of a DataLoader is made for 3 samples, but the dataset has 5: give it the length of each sample of this dataset"
        );
    }
}
