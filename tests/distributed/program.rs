//! Scenarios of training for the tests of several processes, one after another: `distributed_run ACCELERATOR PROCESSES SCENARIO…`. Rank R writes
//! `SCENARIO.rankR.json` into the working directory.

mod accumulated;
mod layers;
mod observed;
mod weighted;

use accumulated::Accumulated;
use anyhow::Context as _;
use layers::{Layers, Scenario};
use serde_json::json;
use std::fs;
use tch_lightning::device::Accelerator;
use tch_lightning::messages;
use tch_lightning::prelude::*;
use tch_lightning::strategy::{DdpConfig, GradientCompression, StrategyConfig};

fn main() -> Result<()> {
    tch_lightning::__testing::skip_static_destructors();
    messages::init();
    let mut arguments = std::env::args().skip(1);
    let accelerator = if arguments.next().as_deref() == Some("cuda") { Accelerator::Cuda } else { Accelerator::Cpu };
    let processes: usize = arguments.next().unwrap_or_default().parse()?;
    for name in arguments {
        let (rank, results) = run(&name, processes, accelerator).with_context(|| format!("the scenario `{name}`"))?;
        fs::write(format!("{name}.rank{rank}.json"), results.to_string())?;
    }
    Ok(())
}

/// What a rank has to say of its run.
type Results = (usize, serde_json::Value);

fn run(name: &str, processes: usize, accelerator: Accelerator) -> Result<Results> {
    let (kind, batches) = accumulation(name);
    let config = TrainerConfig::default()
        .accelerator(accelerator)
        .devices(processes)
        .strategy(strategy(kind))
        .accumulate_grad_batches(batches)
        .max_epochs(2)
        .logger(false)
        .enable_checkpointing(false)
        .enable_model_summary(false)
        .enable_progress_bar(false);
    if let Some(scenario) = name.strip_prefix("no_sync_") {
        return accumulated::run(Accumulated::new(scenario, processes == 1), config);
    }
    if name == "observed" {
        return observed::run(config);
    }
    if kind == "weighted" {
        return weighted::run(config);
    }
    let mut layers = Layers::new(Scenario { is_whole: processes == 1, ..scenario(kind)? })?;
    let mut trainer = Trainer::new(config);
    trainer.fit(&mut layers, ())?;
    let ctx = trainer.context();
    let results = json!({
        "weights": layers.weights()?,
        "running_mean": layers.running_mean()?,
        "metrics": ctx.callback_metrics(),
        "steps": ctx.global_step(),
    });
    Ok((ctx.rank().global, results))
}

/// The kind of scenario without the number of batches that are accumulated, and that number.
fn accumulation(name: &str) -> (&str, usize) {
    match name.strip_suffix("_3") {
        Some(name) => (name.trim_end_matches("_accumulation"), 3),
        None => name.strip_suffix("_accumulation").map_or((name, 1), |kind| (kind, 2)),
    }
}

fn strategy(name: &str) -> StrategyConfig {
    let ddp = DdpConfig::default();
    match name {
        "unused" | "no_sync_unused" => ddp.find_unused_parameters(true).into(),
        "static_graph" | "no_sync_static_graph" => ddp.static_graph(true).into(),
        "static_graph_and_unused" => ddp.static_graph(true).find_unused_parameters(true).into(),
        "views" | "no_sync_views" => ddp.gradient_as_bucket_view(true).into(),
        "bf16" => ddp.gradient_compression(GradientCompression::Bf16).into(),
        _ => ddp.into(),
    }
}

fn scenario(name: &str) -> Result<Scenario> {
    let scenario = Scenario::default();
    Ok(match name {
        "plain" | "views" | "bf16" => scenario,
        "unused" | "unused_undeclared" => Scenario { skips_branch: true, ..scenario },
        "static_graph" | "static_graph_and_unused" => Scenario { never_uses_branch: true, ..scenario },
        "buffers" => Scenario { normalizes: true, ..scenario },
        "sync_batch_norm" => Scenario { normalizes_together: true, ..scenario },
        "no_loss" => Scenario { lacks_loss: true, ..scenario },
        other => anyhow::bail!("there is no scenario `{other}`"),
    })
}
