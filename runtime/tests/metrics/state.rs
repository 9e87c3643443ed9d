use tch::{Device, Kind, Tensor};
use tch_lightning::metrics::*;

use crate::table::{Case, accumulations, cases};

/// A model that owns metrics can be sent to another thread, and the log stores them as trait objects.
const _: fn() = || {
    fn may_be_sent<T: Send + Sync>() {}
    may_be_sent::<Accuracy<Binary>>();
    may_be_sent::<Auroc>();
    fn may_be_boxed(_: &dyn Metric) {}
    may_be_boxed(&Mean::new());
};

fn bits(value: &Tensor) -> Vec<u64> {
    let values = Vec::<f64>::try_from(value.to_kind(Kind::Double).flatten(0, -1)).unwrap();
    values.into_iter().map(f64::to_bits).collect()
}

fn assert_same(case: &Case, found: &Tensor, expected: &Tensor) {
    assert_eq!((found.size(), bits(found)), (expected.size(), bits(expected)), "{case:?}");
}

#[test]
fn accumulation_continues_bit_for_bit_after_loading() {
    for case in accumulations() {
        let batches = case.batches();
        let straight = case.subject();
        batches.iter().for_each(|batch| (straight.update)(batch).unwrap());
        for saved_after in [0, 2] {
            let saved = case.subject();
            batches[..saved_after].iter().for_each(|batch| (saved.update)(batch).unwrap());
            let resumed = case.subject();
            resumed.metric.load_state(saved.metric.state().unwrap()).unwrap();
            batches[saved_after..].iter().for_each(|batch| (resumed.update)(batch).unwrap());
            assert_same(case, &resumed.metric.compute().unwrap(), &straight.metric.compute().unwrap());
        }
    }
}

/// Loads the joined state of all processes into each, and returns it.
fn joined(metrics: &[&dyn Metric]) -> Vec<(String, Tensor)> {
    let states: Vec<_> = metrics.iter().map(|metric| metric.state().unwrap()).collect();
    let join = |(index, (name, dist_reduce_fx)): (usize, (String, DistReduceFx))| {
        assert!(states.iter().all(|state| state[index].0 == name));
        let parts = states.iter().map(|state| state[index].1.shallow_clone());
        let whole = parts.reduce(|one, other| dist_reduce_fx.join(&one, &other).unwrap()).unwrap();
        (name, whole)
    };
    metrics[0].dist_reduce_fx().into_iter().enumerate().map(join).collect()
}

#[test]
fn states_of_several_processes_are_joined() {
    for case in accumulations() {
        let alone = case.subject();
        // one more process than batches
        let processes: Vec<_> = (0..4).map(|_| case.subject()).collect();
        for (batch, process) in case.batches().iter().zip(&processes) {
            (alone.update)(batch).unwrap();
            (process.update)(batch).unwrap();
        }
        let joined = joined(&processes.iter().map(|process| process.metric.as_ref()).collect::<Vec<_>>());
        processes[3].metric.load_state(joined).unwrap();
        let (found, expected) = (processes[3].metric.compute().unwrap(), alone.metric.compute().unwrap());
        assert_eq!(found.size(), expected.size(), "{case:?}");
        let agrees = found.isclose(&expected, 1e-12, 0.0, true).all().int64_value(&[]) == 1;
        assert!(agrees, "{found} instead of {expected}: {case:?}");
    }
}

#[test]
fn reset_metric_equals_a_new_one() {
    for case in accumulations() {
        let batches = case.batches();
        let subject = case.subject();
        (subject.update)(&batches[0]).unwrap();
        subject.metric.reset();
        assert!(matches!(subject.metric.compute(), Err(MetricError::NoUpdates { .. })), "{case:?}");
        assert!(matches!(subject.metric.batch_value(), Err(MetricError::NoUpdates { .. })), "{case:?}");
        (subject.update)(&batches[1]).unwrap();
        let new = case.subject();
        (new.update)(&batches[1]).unwrap();
        assert_same(case, &subject.metric.compute().unwrap(), &new.metric.compute().unwrap());
    }
}

#[test]
fn clones_share_state_and_options_do_not() {
    let mean = Mean::new();
    let (clone, boxed) = (mean.clone(), mean.shallow_clone());
    clone.update(&Tensor::from(2.0f32)).unwrap();
    mean.update(&Tensor::from(4.0f32)).unwrap();
    assert_eq!(boxed.compute().unwrap().double_value(&[]), 3.0);
    boxed.reset();
    assert_eq!(mean.compute().unwrap_err().to_string(), clone.compute().unwrap_err().to_string());

    let squared = MeanSquaredError::new();
    let root = squared.clone().squared(false);
    squared.update(&Tensor::from(3.0f32), &Tensor::from(1.0f32)).unwrap();
    assert!(root.compute().is_err());
    root.update(&Tensor::from(3.0f32), &Tensor::from(1.0f32)).unwrap();
    assert_eq!(squared.compute().unwrap().double_value(&[]), 4.0);
    assert_eq!(root.compute().unwrap().double_value(&[]), 2.0);
}

#[test]
fn state_is_a_snapshot() {
    let sum = Sum::new();
    sum.update(&Tensor::from(1.0f32)).unwrap();
    let before = sum.state().unwrap();
    sum.update(&Tensor::from(5.0f32)).unwrap();
    assert_eq!(before[0].1.double_value(&[]), 1.0);
    sum.load_state(before).unwrap();
    sum.update(&Tensor::from(2.0f32)).unwrap();
    assert_eq!(sum.compute().unwrap().double_value(&[]), 3.0);
}

#[test]
fn arguments_of_an_update_may_change_afterwards() {
    let auroc = Auroc::binary();
    let (mut scores, mut target) = (Tensor::from_slice(&[0.1f32, 0.9]), Tensor::from_slice(&[0i64, 1]));
    auroc.update(&scores, &target).unwrap();
    let _ = scores.fill_(0.5);
    let _ = target.fill_(0);
    assert_eq!(auroc.compute().unwrap().double_value(&[]), 1.0);
}

fn overwrite(tensors: impl IntoIterator<Item = Tensor>) {
    tensors.into_iter().for_each(|mut tensor| drop(tensor.zero_()));
}

#[test]
fn memory_is_not_shared_with_callers() {
    for case in cases() {
        let (subject, straight) = (case.subject(), case.subject());
        for (batch, of_straight) in case.batches().into_iter().zip(case.batches()) {
            (straight.update)(&of_straight).unwrap();
            overwrite([(subject.forward)(&batch).unwrap(), subject.metric.batch_value().unwrap()]);
            overwrite([subject.metric.compute().unwrap()]);
            assert_same(case, &subject.metric.batch_value().unwrap(), &straight.metric.batch_value().unwrap());
            overwrite(batch);
            overwrite(subject.metric.state().unwrap().into_iter().map(|(_, tensor)| tensor));
            assert_same(case, &subject.metric.compute().unwrap(), &straight.metric.compute().unwrap());
        }
        let state = straight.metric.state().unwrap();
        subject
            .metric
            .load_state(state.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect())
            .unwrap();
        overwrite(state.into_iter().map(|(_, tensor)| tensor));
        assert_same(case, &subject.metric.compute().unwrap(), &straight.metric.compute().unwrap());
    }
}

#[test]
fn batches_of_every_dtype_may_change_afterwards() {
    for kind in [Kind::Half, Kind::Float, Kind::Double] {
        let auroc = Auroc::binary();
        let (scores, target) = (Tensor::from_slice(&[0.1, 0.9]).to_kind(kind), Tensor::from_slice(&[0i64, 1]));
        auroc.update(&scores, &target).unwrap();
        let sum = Sum::new();
        let value = Tensor::from(2.0).to_kind(kind);
        sum.update(&value).unwrap();
        let error = MeanAbsoluteError::new();
        error.update(&value, &value.zeros_like()).unwrap();
        overwrite([scores, target, value]);
        let values = [&auroc as &dyn Metric, &sum, &error].map(|metric| metric.compute().unwrap().double_value(&[]));
        assert_eq!(values, [1.0, 2.0, 2.0], "{kind:?}");
    }
}

#[test]
fn state_is_identified_by_its_handles() {
    let accuracy = Accuracy::multiclass(3);
    let (clone, boxed) = (accuracy.clone(), accuracy.shallow_clone());
    assert!(accuracy.state_id().is_some());
    assert_eq!((clone.state_id(), boxed.state_id()), (accuracy.state_id(), accuracy.state_id()));
    assert_ne!(Accuracy::multiclass(3).state_id(), accuracy.state_id());
}

#[test]
fn earlier_state_is_joined_in_front() {
    for case in accumulations() {
        let batches = case.batches();
        let straight = case.subject();
        batches.iter().for_each(|batch| (straight.update)(batch).unwrap());
        for before in 0..batches.len() {
            let (saved, resumed) = (case.subject(), case.subject());
            batches[..before].iter().for_each(|batch| (saved.update)(batch).unwrap());
            batches[before..].iter().for_each(|batch| (resumed.update)(batch).unwrap());
            let of_last = resumed.metric.batch_value().unwrap();
            resumed.metric.join_state(saved.metric.state().unwrap()).unwrap();
            // unlike after loading a state, the last batch is retained
            assert_same(case, &resumed.metric.batch_value().unwrap(), &of_last);
            let (found, expected) = (resumed.metric.compute().unwrap(), straight.metric.compute().unwrap());
            let agrees = found.isclose(&expected, 1e-12, 0.0, true).all().int64_value(&[]) == 1;
            assert!(agrees, "{found} instead of {expected}: {case:?}");
        }
    }
}

#[test]
fn last_batch_has_a_separate_value() {
    let accuracy = Accuracy::multiclass(3);
    let labels = |labels: [i64; 2]| Tensor::from_slice(&labels);
    accuracy.update(&labels([0, 1]), &labels([0, 1])).unwrap();
    accuracy.update(&labels([0, 1]), &labels([0, 2])).unwrap();
    let of_last = || accuracy.batch_value().map(|value| value.double_value(&[]));
    assert_eq!(of_last().unwrap(), 0.5);
    assert_eq!(accuracy.compute().unwrap().double_value(&[]), 0.75);
    // a refused batch does not count
    assert!(accuracy.update(&labels([0, 1]), &Tensor::from(0i64)).is_err());
    assert_eq!(of_last().unwrap(), 0.5);
    accuracy.load_state(accuracy.state().unwrap()).unwrap();
    assert!(matches!(of_last(), Err(MetricError::NoUpdates { .. })));
}

#[test]
fn gradients_do_not_flow() {
    let mean = Mean::new();
    let loss = Tensor::from(2.0f32).set_requires_grad(true);
    let of_batch = mean.forward(&(&loss * 3.0)).unwrap();
    assert!(!of_batch.requires_grad() && !mean.compute().unwrap().requires_grad());
}

/// Returns the name, the shape and the dtype of every tensor.
fn described(metric: &dyn Metric) -> Vec<(String, Vec<i64>, Kind)> {
    let state = metric.state().unwrap();
    state.into_iter().map(|(name, tensor)| (name, tensor.size(), tensor.kind())).collect()
}

fn described_as(name: &str, shape: &[i64], kind: Kind) -> (String, Vec<i64>, Kind) {
    (name.to_owned(), shape.to_vec(), kind)
}

#[test]
fn state_has_names_and_shapes() {
    let (updates, out_of_range) =
        (described_as("updates", &[], Kind::Int64), described_as("out_of_range", &[], Kind::Int64));
    let accuracy = Accuracy::multiclass(7);
    let counts = described_as("stat_scores", &[4, 7], Kind::Int64);
    assert_eq!(described(&accuracy), [counts, out_of_range.clone(), updates.clone()]);

    let auroc = Auroc::multilabel(3);
    let kept = |rows| [described_as("preds", &[rows, 3], Kind::Float), described_as("target", &[rows, 3], Kind::Int64)];
    let whole = |rows| [&kept(rows)[..], &[out_of_range.clone(), updates.clone()]].concat();
    assert_eq!(described(&auroc), whole(0));
    let (zeros, ones) =
        (Tensor::zeros([4, 3], (Kind::Half, Device::Cpu)), Tensor::ones([4, 3], (Kind::Bool, Device::Cpu)));
    auroc.update(&zeros, &ones).unwrap();
    auroc.update(&zeros, &ones).unwrap();
    assert_eq!(described(&auroc), whole(8));

    let joins: Vec<_> = auroc.dist_reduce_fx().into_iter().map(|(_, dist_reduce_fx)| dist_reduce_fx).collect();
    assert_eq!(joins, [DistReduceFx::Cat, DistReduceFx::Cat, DistReduceFx::Sum, DistReduceFx::Sum]);
    let joins = |metric: &dyn Metric| metric.dist_reduce_fx()[0].1;
    assert_eq!((joins(&Min::new()), joins(&Max::new())), (DistReduceFx::Min, DistReduceFx::Max));
}

#[test]
fn mismatched_state_is_refused_completely() {
    let auroc = Auroc::multilabel(3);
    let scores = Tensor::from_slice(&[0.1f32, 0.9, 0.3]).view([1, 3]);
    auroc.update(&scores, &Tensor::from_slice(&[0i64, 1, 1]).view([1, 3])).unwrap();
    let before = auroc.state().unwrap();
    let mut state = auroc.state().unwrap();
    state.retain(|(name, _)| name != "updates");
    state[1].1 = Tensor::zeros([5, 2], (Kind::Int64, Device::Cpu));
    state.push(("confmat".to_owned(), Tensor::from(1i64)));

    assert_eq!(
        auroc.load_state(state).unwrap_err().to_string(),
        "the saved state does not fit Auroc: missing: updates; of another shape: target ([5, 2] instead of [5, 3]); \
         unexpected: confmat"
    );
    for ((name, found), (_, expected)) in auroc.state().unwrap().iter().zip(&before) {
        assert_eq!(found, expected, "{name}");
    }
}
