//! MLflow's REST interface.

use super::operation::{Contents, Operation, Start};
use serde_json::{Value, json};
use std::env;
use std::io;
use std::path::Path;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;

/// A server, and the run that was begun on it.
#[derive(Debug)]
pub(super) struct Server {
    agent: Agent,
    address: String,
    authorization: Option<String>,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    id: String,
    artifacts: String,
}

/// Why an operation was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The server may answer later.
    #[error("{0}")]
    Unreachable(String),
    /// The server has refused the request, and would again.
    #[error("the server refused {request}: {reason}")]
    Request { request: String, reason: String },
    #[error("the file {path} cannot be read: {source}")]
    File { path: String, source: io::Error },
    #[error(
        "artifacts are stored in {0}, which only MLflow's own clients can write to: start the server with --serve-artifacts, its default"
    )]
    ArtifactStore(String),
}

const PREFIX: &str = "/api/2.0/mlflow";
/// The tag that has [`Start::tag`].
const TAG: &str = "tch_lightning.run";

impl Server {
    pub(super) fn new(address: &str, timeout: Duration) -> Self {
        let config = Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false);
        Self {
            agent: config.build().into(),
            address: address.trim_end_matches('/').to_owned(),
            authorization: authorization(),
            run: None,
        }
    }

    /// The identifier of the run, after it was begun.
    pub(super) fn run_id(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.id.as_str())
    }

    pub(super) fn carry_out(&mut self, operation: &Operation) -> Result<(), Refused> {
        match operation {
            Operation::Start(start) => {
                let experiment = self.experiment(&start.experiment)?;
                let begun = if start.continues { self.continue_run(&experiment, &start.tag)? } else { None };
                self.run = Some(match begun {
                    Some(run) => run,
                    None => self.create_run(&experiment, start)?,
                });
                Ok(())
            }
            Operation::Batch(batch) => {
                let body = json!({ "run_id": self.run_id(), "metrics": batch.metrics, "params": batch.params });
                self.post("/runs/log-batch", &body).map(drop)
            }
            Operation::Artifact { path, contents } => self.upload(path, contents),
            Operation::End { status, time } => {
                let body = json!({ "run_id": self.run_id(), "status": status, "end_time": time });
                self.post("/runs/update", &body).map(drop)
            }
        }
    }

    fn create_run(&self, experiment: &str, start: &Start) -> Result<Run, Refused> {
        let body = json!({
            "experiment_id": experiment, "run_name": start.run_name, "start_time": start.time,
            "tags": [{ "key": TAG, "value": start.tag }],
        });
        Ok(run_of(&self.post("/runs/create", &body)?["run"]))
    }

    /// Continues the run of a tag; returns `None` if there is none, as on another server.
    fn continue_run(&self, experiment: &str, tag: &str) -> Result<Option<Run>, Refused> {
        let filter = format!("tags.`{TAG}` = '{tag}'");
        let body = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1 });
        let found = self.post("/runs/search", &body)?["runs"][0].take();
        if found.is_null() {
            return Ok(None);
        }
        let run = run_of(&found);
        self.post("/runs/update", &json!({ "run_id": run.id, "status": "RUNNING" }))?;
        Ok(Some(run))
    }

    /// Returns the identifier of an experiment, which is created if there is none of this name.
    fn experiment(&self, name: &str) -> Result<String, Refused> {
        let path = format!("{PREFIX}/experiments/get-by-name");
        let found = self.authorized(self.agent.get(self.url(&path)).query("experiment_name", name)).call();
        match read(&path, found) {
            Ok(found) => Ok(text(&found["experiment"]["experiment_id"])),
            Err(Refused::Request { .. }) => {
                Ok(text(&self.post("/experiments/create", &json!({ "name": name }))?["experiment_id"]))
            }
            Err(error) => Err(error),
        }
    }

    /// Uploads an artifact through the server, or copies it into a folder that the server names.
    fn upload(&self, path: &str, contents: &Contents) -> Result<(), Refused> {
        let bytes = match contents {
            Contents::Bytes(bytes) => bytes.clone(),
            Contents::File(file) => {
                std::fs::read(file).map_err(|source| Refused::File { path: file.display().to_string(), source })?
            }
        };
        let store = self.run.as_ref().map_or("", |run| run.artifacts.as_str());
        if let Some(folder) = store.strip_prefix("mlflow-artifacts:/") {
            let path = format!("/api/2.0/mlflow-artifacts/artifacts/{}/{}", folder.trim_matches('/'), encoded(path));
            return read(&path, self.authorized(self.agent.put(self.url(&path))).send(&bytes)).map(drop);
        }
        let Some(folder) = store.strip_prefix("file://").or(store.starts_with('/').then_some(store)) else {
            return Err(Refused::ArtifactStore(store.to_owned()));
        };
        let file = Path::new(folder).join(path);
        let write = || {
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
            std::fs::write(&file, bytes)
        };
        write().map_err(|source| Refused::File { path: file.display().to_string(), source })
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        let path = format!("{PREFIX}{path}");
        let request = self.authorized(self.agent.post(self.url(&path))).header("Content-Type", "application/json");
        read(&path, request.send(body.to_string()))
    }

    fn authorized<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

/// Returns the value of the header that authorizes requests, from the variables of MLflow's own clients.
fn authorization() -> Option<String> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = variable("MLFLOW_TRACKING_TOKEN") {
        return Some(format!("Bearer {token}"));
    }
    let (user, password) = variable("MLFLOW_TRACKING_USERNAME").zip(variable("MLFLOW_TRACKING_PASSWORD"))?;
    Some(format!(
        "Basic {}",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:{password}"))
    ))
}

fn run_of(run: &Value) -> Run {
    Run { id: text(&run["info"]["run_id"]), artifacts: text(&run["info"]["artifact_uri"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns the JSON of an answer.
fn read(path: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Value, Refused> {
    let unreachable = |error: ureq::Error| Refused::Unreachable(error.to_string());
    let mut answer = answer.map_err(unreachable)?;
    let status = answer.status();
    let body = answer.body_mut().read_to_string().map_err(unreachable)?;
    if status.is_success() {
        return Ok(serde_json::from_str(&body).unwrap_or_default());
    }
    let error: Value = serde_json::from_str(&body).unwrap_or_default();
    let reason = error["message"].as_str().map_or_else(|| status.to_string(), str::to_owned);
    // these may succeed later
    if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        return Err(Refused::Unreachable(reason));
    }
    Err(Refused::Request { request: path.to_owned(), reason })
}

/// Encodes a path for a URL, except its slashes.
fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn paths_are_encoded_for_urls() {
        // urllib.parse.quote
        assert_eq!(encoded("images/a b=ä%/step_1.png"), "images/a%20b%3D%C3%A4%25/step_1.png");
    }
}
