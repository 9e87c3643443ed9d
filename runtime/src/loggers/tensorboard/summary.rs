//! From records to the values of TensorBoard.

use super::proto::{
    DT_STRING, Dim, Histogram as ProtoHistogram, HparamKind, HparamValue, HparamsData, HparamsPluginData,
    Image as ProtoImage, PluginData, STATUS_FAILURE, STATUS_SUCCESS, SessionEndInfo, SessionStartInfo, SummaryMetadata,
    SummaryValue, Tensor, TensorShape, Value,
};
use crate::loggers::flattened::flattened;
use crate::loggers::{Histogram, Image, RunStatus};
use prost::Message;
use serde_json::Value as Json;
use std::io;

pub(super) fn scalar(name: &str, value: f64) -> SummaryValue {
    #[expect(clippy::cast_possible_truncation, reason = "TensorBoard's scalars are f32")]
    let value = Value::Simple(value as f32);
    SummaryValue { tag: name.to_owned(), value: Some(value), metadata: None }
}

pub(super) fn histogram(name: &str, histogram: &Histogram) -> SummaryValue {
    // the limit of the first bucket is its upper one: an empty bucket gives the first bin its lower edge
    let counts = histogram.counts.iter().map(|count| *count as f64);
    let value = ProtoHistogram {
        min: histogram.min,
        max: histogram.max,
        num: histogram.count as f64,
        sum: histogram.sum,
        sum_squares: histogram.sum_of_squares,
        bucket_limit: histogram.edges.clone(),
        bucket: std::iter::once(0.0).chain(counts).take(histogram.edges.len()).collect(),
    };
    SummaryValue { tag: name.to_owned(), value: Some(Value::Histogram(value)), metadata: None }
}

pub(super) fn image(name: &str, image: &Image) -> io::Result<SummaryValue> {
    let number = |length: usize| i32::try_from(length).map_err(io::Error::other);
    let value = ProtoImage {
        height: number(image.height)?,
        width: number(image.width)?,
        colorspace: number(image.channels)?,
        encoded_image_string: image.to_png()?,
    };
    Ok(SummaryValue { tag: name.to_owned(), value: Some(Value::Image(value)), metadata: None })
}

/// Returns a text, which TensorBoard shows as Markdown.
pub(super) fn text(name: &str, text: &str) -> SummaryValue {
    let value = Tensor {
        dtype: DT_STRING,
        tensor_shape: Some(TensorShape { dim: vec![Dim { size: 1 }] }),
        string_val: vec![text.as_bytes().to_vec()],
    };
    let metadata = plugin("text", Vec::new());
    // the tag that PyTorch gives to texts
    SummaryValue { tag: format!("{name}/text_summary"), value: Some(Value::Tensor(value)), metadata: Some(metadata) }
}

/// Returns the hyperparameters, with the names of nested ones joined by `/` as Lightning joins them.
pub(super) fn hyperparameters(values: &Json, now: f64) -> SummaryValue {
    let hparams = flattened(values).into_iter().map(|(name, value)| (name, hparam(value))).collect();
    let start = SessionStartInfo { hparams, start_time_secs: now };
    hparams_value("session_start_info", HparamsData::SessionStartInfo(start))
}

/// Returns the end of a run.
pub(super) fn end(status: RunStatus, now: f64) -> SummaryValue {
    let status = match status {
        RunStatus::Success => STATUS_SUCCESS,
        RunStatus::Failed => STATUS_FAILURE,
    };
    hparams_value("session_end_info", HparamsData::SessionEndInfo(SessionEndInfo { status, end_time_secs: now }))
}

fn hparams_value(name: &str, data: HparamsData) -> SummaryValue {
    let content = HparamsPluginData { data: Some(data) }.encode_to_vec();
    SummaryValue { tag: format!("_hparams_/{name}"), value: None, metadata: Some(plugin("hparams", content)) }
}

fn plugin(name: &str, content: Vec<u8>) -> SummaryMetadata {
    SummaryMetadata { plugin_data: Some(PluginData { plugin_name: name.to_owned(), content }) }
}

fn hparam(value: &Json) -> HparamValue {
    let kind = match value {
        Json::Number(number) => HparamKind::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::Bool(value) => HparamKind::Bool(*value),
        Json::String(text) => HparamKind::Text(text.clone()),
        Json::Array(_) | Json::Object(_) | Json::Null => HparamKind::Text(value.to_string()),
    };
    HparamValue { kind: Some(kind) }
}
