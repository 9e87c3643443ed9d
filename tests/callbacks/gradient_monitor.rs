use crate::model::config;
use crate::recorder::{Recorder, Row};
use tch_lightning::callbacks::GradientMonitor;
use tch_lightning::prelude::*;

/// Three times the sum of the first row of a matrix `[2, 2]`, and four times a bias: their gradients are `[[3, 3], [0, 0]]` and `[4]`.
struct Rows {
    vs: nn::VarStore,
    weight: Tensor,
    bias: Tensor,
}

impl Rows {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().ones("weight", &[2, 2]);
        let bias = vs.root().ones("bias", &[1]);
        Self { vs, weight, bias }
    }
}

#[lightning_module]
impl Rows {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        (self.weight.get(0).sum(Kind::Float) * 3.0 + self.bias.sum(Kind::Float) * 4.0) * batch.sum(Kind::Float)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(DataLoader::new(TensorDataset::new(Tensor::ones([4, 1], (Kind::Float, Device::Cpu)))?))
    }
}

fn logged(monitor: GradientMonitor) -> Recorder {
    let recorder = Recorder::default();
    let config = TrainerConfig { log_every_n_steps: 2, max_epochs: Some(1), ..config() };
    Trainer::new(config).logger(recorder.clone()).callback(monitor).fit(&mut Rows::new(), ()).unwrap();
    recorder
}

#[test]
fn gradient_monitor_logs_norms_ratios_and_dead_units() {
    let rows = logged(GradientMonitor::new()).rows();
    let rows: Vec<_> = rows.iter().filter(|Row(_, row)| row.contains_key("grad_norm_total")).collect();
    assert_eq!(rows.iter().map(|Row(step, _)| *step).collect::<Vec<_>>(), [1, 3]);
    let Row(_, row) = rows[0];
    let close = |name: &str, expected: f64| {
        let value = row[name];
        assert!((value - expected).abs() < 1e-6, "{name} is {value}, not {expected}");
    };
    close("grad_norm/weight", 18f64.sqrt());
    close("grad_norm/bias", 4.0);
    close("grad_norm_total", 34f64.sqrt());
    close("dead_units/weight", 0.5);
    assert!(!row.contains_key("dead_units/bias"));
    // after one step of 0.01, the first row is 0.97 and the bias 0.96
    close("update_ratio/weight", 0.01 * 18f64.sqrt() / (2.0 * 0.97f64.powi(2) + 2.0).sqrt());
    close("update_ratio/bias", 0.04 / 0.96);
}

#[test]
fn gradient_monitor_skips_what_it_is_not_asked_for() {
    let recorder = logged(GradientMonitor::new().grad_norms(false).dead_units(false));
    let names: Vec<String> = recorder.rows().into_iter().flat_map(|Row(_, row)| row.into_keys()).collect();
    assert!(names.iter().any(|name| name == "update_ratio/bias"));
    assert!(!names.iter().any(|name| name.contains("grad_norm") || name.contains("dead_units")), "{names:?}");
}
