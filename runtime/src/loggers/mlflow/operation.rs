//! The requests of a run to an MLflow server.

use serde::{Deserialize, Serialize};

/// A request that may wait until the server answers. Serialized where it never did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operation {
    /// Begins a run, or continues one.
    Start(Start),
    /// Logs values. Within MLflow's limits for a batch.
    Batch(Batch),
    /// Uploads a file, as `images/digit/step_100.png`.
    Artifact { path: String, contents: Contents },
    /// Ends the run with a status of MLflow.
    End { status: String, time: u64 },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) experiment: String,
    pub(super) run_name: Option<String>,
    /// A tag by which a resumed run is found, as a checkpoint may be written before the server has given the run its identifier.
    pub(super) tag: String,
    /// Whether to continue the run of this tag, if there is one.
    pub(super) continues: bool,
    /// In milliseconds since 1970.
    pub(super) time: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) metrics: Vec<Metric>,
    pub(super) params: Vec<Named>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Metric {
    pub(super) key: String,
    /// A number, or its name where JSON has none: MLflow reads protobuf's JSON.
    pub(super) value: serde_json::Value,
    /// In milliseconds since 1970.
    pub(super) timestamp: u64,
    pub(super) step: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Contents {
    Bytes(Vec<u8>),
    /// A file that is read when it is sent.
    File(std::path::PathBuf),
}

/// The most metrics and parameters of a batch.
/// <https://mlflow.org/docs/latest/api_reference/rest-api.html#log-batch>
const METRICS: usize = 900;
const PARAMS: usize = 100;

impl Operation {
    /// Adds the values of another batch, if both are batches and MLflow takes them as one.
    pub(super) fn absorb(&mut self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Batch(batch), Self::Batch(mut other))
                if batch.metrics.len() + other.metrics.len() <= METRICS
                    && batch.params.len() + other.params.len() <= PARAMS =>
            {
                batch.metrics.append(&mut other.metrics);
                batch.params.append(&mut other.params);
                None
            }
            (_, other) => Some(other),
        }
    }

    /// Returns batches that MLflow takes.
    pub(super) fn batches(metrics: Vec<Metric>, params: Vec<Named>) -> impl Iterator<Item = Self> {
        let of = |metrics: &[Metric], params: &[Named]| {
            Self::Batch(Batch { metrics: metrics.to_vec(), params: params.to_vec() })
        };
        let metrics: Vec<Self> = metrics.chunks(METRICS).map(|metrics| of(metrics, &[])).collect();
        let params: Vec<Self> = params.chunks(PARAMS).map(|params| of(&[], params)).collect();
        metrics.into_iter().chain(params)
    }
}
