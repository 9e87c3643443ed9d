//! The states of the callbacks that Lightning has too, from its checkpoints and to them.

use super::{EarlyStopping, ModelCheckpoint, Timer};
use crate::checkpoint::lightning::{Value, dict};
use crate::module::{Callback, LightningModule};
use serde_json::{Map, Value as Json, json};
use std::any::Any;
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

/// The name under which the state of a callback has Lightning's key of it.
const LIGHTNING_KEY: &str = "lightning_key";

/// The key of [`Timer`] in Lightning, and the stage whose time ours keeps.
const TIMER: &str = "Timer";
const TRAINING: &str = "train";

/// The states of callbacks, by their keys.
type States = BTreeMap<String, Json>;

/// Returns the states of a run's callbacks from those in a checkpoint of Lightning, and the keys of those that no callback takes.
pub(crate) fn from_lightning<'a, M: LightningModule>(
    callbacks: &[Box<dyn Callback<M>>],
    saved: &'a [(String, Json)],
) -> (States, Vec<&'a str>) {
    let mut states = States::new();
    let mut left: Vec<&str> = saved.iter().map(|(key, _)| key.as_str()).collect();
    for callback in callbacks {
        let any: &dyn Any = callback.as_ref();
        let Some((key, read)) = reader(any) else { continue };
        if let Some((_, state)) = saved.iter().find(|(saved, _)| *saved == key) {
            left.retain(|left| *left != key);
            states.insert(callback.state_key(), read(state));
        }
    }
    (states, left)
}

/// Returns our form of a state that Lightning has saved.
type Read = fn(&Json) -> Json;

/// Returns Lightning's key of a callback, and how its state is read.
fn reader(callback: &dyn Any) -> Option<(String, Read)> {
    if let Some(stopping) = callback.downcast_ref::<EarlyStopping>() {
        return Some((stopping.lightning_key(), early_stopping));
    }
    if let Some(checkpoint) = callback.downcast_ref::<ModelCheckpoint>() {
        return Some((checkpoint.lightning_key(), model_checkpoint));
    }
    callback.is::<Timer>().then(|| (TIMER.to_owned(), timer as Read))
}

/// A score that is still an infinity is none here.
fn score(json: &Json) -> Json {
    if json.is_number() { json.clone() } else { Json::Null }
}

fn path(json: &Json) -> Json {
    if json.as_str() == Some("") { Json::Null } else { json.clone() }
}

fn early_stopping(saved: &Json) -> Json {
    json!({
        "wait_count": saved["wait_count"],
        "stopped_epoch": saved["stopped_epoch"].as_u64().filter(|epoch| *epoch > 0),
        "best_score": score(&saved["best_score"]),
        "stopping_reason": null,
    })
}

fn model_checkpoint(saved: &Json) -> Json {
    let kept = saved["best_k_models"].as_object().into_iter().flatten();
    let kept: Vec<Json> = kept.map(|(path, score)| json!([path, score])).collect();
    json!({
        "dirpath": saved["dirpath"],
        "monitor": saved["monitor"],
        "best": { "kept": kept },
        "best_model_path": path(&saved["best_model_path"]),
        "best_model_score": score(&saved["best_model_score"]),
        "last_model_path": path(&saved["last_model_path"]),
    })
}

fn timer(saved: &Json) -> Json {
    json!({ "time_elapsed": saved["time_elapsed"][TRAINING].as_f64().unwrap_or_default() })
}

/// Returns the states of callbacks as Lightning saves them. Those that Lightning does not have are left out.
pub(crate) fn to_lightning(states: &States) -> Value {
    let mut written = Vec::new();
    for (key, state) in states {
        let Some(state) = state.as_object() else { continue };
        if key.starts_with(TIMER) {
            let elapsed = state.get("time_elapsed").and_then(Json::as_f64).unwrap_or_default();
            let stages = [TRAINING, "sanity_check", "validate", "test", "predict"];
            let times = stages.map(|stage| (stage, Value::Float(if stage == TRAINING { elapsed } else { 0.0 })));
            written.push((TIMER, dict([("time_elapsed", dict(times))])));
        }
        let Some(key) = state.get(LIGHTNING_KEY).and_then(Json::as_str) else { continue };
        written.push((key, if key.starts_with("EarlyStopping") { stopping(state) } else { checkpoints(state) }));
    }
    dict(written)
}

fn stopping(state: &Map<String, Json>) -> Value {
    let of = |name: &str| state.get(name).map_or(Value::None, Value::of_json);
    let worst = if state.get("mode").and_then(Json::as_str) == Some("max") { f64::NEG_INFINITY } else { f64::INFINITY };
    dict([
        ("wait_count", of("wait_count")),
        ("stopped_epoch", Value::Int(state.get("stopped_epoch").and_then(Json::as_i64).unwrap_or_default())),
        ("best_score", tensor(state.get("best_score").and_then(Json::as_f64).unwrap_or(worst))),
        ("patience", of("patience")),
    ])
}

fn checkpoints(state: &Map<String, Json>) -> Value {
    let path = |name: &str| Value::Text(state.get(name).and_then(Json::as_str).unwrap_or_default().to_owned());
    let optional = |score: Option<f64>| score.map_or(Value::None, tensor);
    let best_score = state.get("best_model_score").and_then(Json::as_f64);
    let kept = state.get("best").and_then(|best| best["kept"].as_array()).map_or(&[] as &[Json], Vec::as_slice);
    let kept = kept.iter().filter_map(|kept| Some((kept[0].as_str()?, kept[1].as_f64()?)));
    let is_max = state.get("mode").and_then(Json::as_str) == Some("max");
    let worst = kept.clone().reduce(|one, other| if (one.1 > other.1) == is_max { other } else { one });
    dict([
        ("monitor", state.get("monitor").map_or(Value::None, Value::of_json)),
        ("best_model_score", optional(best_score)),
        ("best_model_path", path("best_model_path")),
        ("current_score", optional(best_score)),
        ("dirpath", path("dirpath")),
        ("best_k_models", dict(kept.map(|(path, score)| (path, tensor(score))))),
        ("kth_best_model_path", Value::Text(worst.map_or("", |(path, _)| path).to_owned())),
        ("kth_value", optional(worst.map(|(_, score)| score))),
        ("last_model_path", path("last_model_path")),
    ])
}

fn tensor(number: f64) -> Value {
    Value::Tensor(Tensor::from(number).to_kind(Kind::Float))
}
