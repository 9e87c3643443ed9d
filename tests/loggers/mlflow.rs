//! What a real MLflow server has of a run.

use crate::model::{Model, config};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tch_lightning::callbacks::ModelCheckpoint;
use tch_lightning::loggers::MlflowLogger;
use tch_lightning::prelude::*;
use tests::python;

/// A server on this machine, which ends with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts a server that stores into `folder`; `None`, after printing the reason, if there is no MLflow.
    fn start(folder: &Path, port: u16) -> Option<Self> {
        let Some(python) = mlflow() else {
            println!("skipped: MLflow is not installed for the tests; `make mlflow` installs it");
            return None;
        };
        let store = format!("sqlite:///{}", folder.join("mlflow.db").display());
        let process = Command::new(python)
            .args(["-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--backend-store-uri", &store, "--artifacts-destination"])
            .arg(folder.join("artifacts"))
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("server.log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { process, address: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while server.get("/health").is_none() {
            let log = || fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(240), "the server does not answer: {}", log());
            thread::sleep(Duration::from_millis(200));
        }
        Some(server)
    }

    fn get(&self, path: &str) -> Option<String> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20))).build().into();
        agent.get(format!("{}{path}", self.address)).call().ok()?.body_mut().read_to_string().ok()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(&format!("/api/2.0/mlflow{path}")).unwrap()).unwrap()
    }

    fn run(&self, id: &str) -> Value {
        self.json(&format!("/runs/get?run_id={id}"))["run"].clone()
    }

    /// The steps and values of a metric.
    fn history(&self, id: &str, metric: &str) -> Vec<(i64, f64)> {
        let found = self.json(&format!("/metrics/get-history?run_id={id}&metric_key={metric}&max_results=1000"));
        let of = |metric: &Value| (metric["step"].as_i64().unwrap_or(0), metric["value"].as_f64().unwrap());
        let mut history: Vec<_> = found["metrics"].as_array().unwrap().iter().map(of).collect();
        history.sort_by_key(|(step, _)| *step);
        history
    }

    fn artifacts(&self, id: &str, folder: &str) -> Vec<String> {
        let found = self.json(&format!("/artifacts/list?run_id={id}&path={folder}"));
        let files = found["files"].as_array().cloned().unwrap_or_default();
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // the server has processes of its own, which end with it when it is asked to
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// The Python that `TCH_LIGHTNING_MLFLOW` names, or that of the set-up.
fn mlflow() -> Option<PathBuf> {
    let named = env::var_os("TCH_LIGHTNING_MLFLOW").filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(python::cache()?.join("mlflow/bin/python"))).filter(|python| python.exists())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn logger(address: &str) -> MlflowLogger {
    let logger = MlflowLogger::new(address).experiment_name("digits").run_name("wide").log_model(true);
    // a busy machine is not what is tested
    logger.timeout(Duration::from_secs(60)).patience(Duration::from_secs(120))
}

/// The identifier of the run, and how the fit ended.
fn fit(root: &Path, logger: MlflowLogger, module: &mut Model, checkpoint: Option<&Path>) -> (Option<String>, bool) {
    let mut trainer = Trainer::new(config(root)).logger(logger).callback(ModelCheckpoint::new().save_top_k(-1));
    trainer = trainer.hyper_parameters(json!({ "model": { "lr": 0.01, "name": "linear" } }));
    if let Some(checkpoint) = checkpoint {
        trainer = trainer.ckpt_path(checkpoint);
    }
    let succeeded = trainer.fit(module, ()).is_ok();
    (trainer.context().find_logger::<MlflowLogger>().unwrap().run_id(), succeeded)
}

#[test]
fn mlflow_has_what_was_logged() {
    let root = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(root.path(), free_port()) else { return };
    let (id, _) = fit(root.path(), logger(&server.address), &mut Model::new(), None);
    let id = id.unwrap();
    let run = server.run(&id);
    assert_eq!((&run["info"]["status"], &run["info"]["run_name"]), (&json!("FINISHED"), &json!("wide")));
    assert!(run["info"]["end_time"].as_u64() >= run["info"]["start_time"].as_u64());
    let experiment =
        server.json(&format!("/experiments/get?experiment_id={}", run["info"]["experiment_id"].as_str().unwrap()));
    assert_eq!(experiment["experiment"]["name"], "digits");
    let mut params = run["data"]["params"].as_array().unwrap().clone();
    params.sort_by_key(|param| param["key"].as_str().unwrap().to_owned());
    assert_eq!(
        params,
        [json!({ "key": "model/lr", "value": "0.01" }), json!({ "key": "model/name", "value": "linear" })]
    );
    let losses = server.history(&id, "train_loss");
    assert_eq!(losses.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
    // the same batch, an epoch later
    assert!(losses[7].1 < losses[3].1);
    assert_eq!(server.history(&id, "val_loss").len(), 2);
    assert_eq!(server.artifacts(&id, "images/pictures/digit").len(), 2);
    assert_eq!(server.artifacts(&id, "tables/mistakes"), ["tables/mistakes/step_3.csv", "tables/mistakes/step_7.csv"]);
    assert_eq!(server.artifacts(&id, "histograms/numbers").len(), 8);
    assert_eq!(server.artifacts(&id, "checkpoints").len(), 2);
    assert!(!root.path().join("lightning_logs/version_0/mlflow_unsent.jsonl").exists());

    // a run that fails, and one that resumes it
    let (failed, succeeded) = fit(root.path(), logger(&server.address), &mut Model::failing_at(6), None);
    let failed = failed.unwrap();
    assert!(!succeeded);
    assert_eq!(server.run(&failed)["info"]["status"], "FAILED");
    let checkpoint = root.path().join("lightning_logs/version_1/checkpoints/epoch=0-step=4.ckpt");
    let (resumed, _) = fit(root.path(), logger(&server.address), &mut Model::new(), Some(&checkpoint));
    assert_eq!(resumed.as_ref(), Some(&failed));
    assert_eq!(server.run(&failed)["info"]["status"], "FINISHED");
    let steps: Vec<i64> = server.history(&failed, "train_loss").iter().map(|(step, _)| *step).collect();
    // MLflow keeps both values of the steps that were done twice
    assert_eq!(steps, [0, 1, 2, 3, 4, 4, 5, 5, 6, 7]);
}

#[test]
fn run_without_its_server_keeps_what_it_logged() {
    let root = tempfile::tempdir().unwrap();
    let port = free_port();
    let address = format!("http://127.0.0.1:{port}");
    let unreachable = || logger(&address).patience(Duration::from_millis(300));
    let began = Instant::now();
    let (id, succeeded) = fit(root.path(), unreachable(), &mut Model::new(), None);
    assert!(succeeded && id.is_none());
    assert!(began.elapsed() < Duration::from_secs(20), "the run waited for the server");
    let unsent = root.path().join("lightning_logs/version_0/mlflow_unsent.jsonl");
    assert!(unsent.exists());

    let Some(server) = Server::start(root.path(), port) else { return };
    unreachable().send_unsent(&unsent).unwrap();
    assert!(!unsent.exists());
    let found = server.json("/experiments/get-by-name?experiment_name=digits");
    let experiment = found["experiment"]["experiment_id"].as_str().unwrap();
    let body = json!({ "experiment_ids": [experiment] }).to_string();
    let mut answer = ureq::post(format!("{address}/api/2.0/mlflow/runs/search"))
        .header("Content-Type", "application/json")
        .send(body)
        .unwrap();
    let runs: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let id = runs["runs"][0]["info"]["run_id"].as_str().unwrap();
    assert_eq!(runs["runs"][0]["info"]["status"], "FINISHED");
    assert_eq!(server.history(id, "train_loss").len(), 8);
    assert_eq!(server.artifacts(id, "checkpoints").len(), 2);
}
