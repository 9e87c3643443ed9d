//! A table of the model's layers and parameters.

use crate::context::Context;
use crate::context::phase::Outside;
use crate::counted::grouped;
use crate::loggers::{Graph, GraphLayer, GraphTensor};
use crate::module::{Callback, LightningModule, buffers, trainable};
use crate::{table, terminal};
use anyhow::Result;
use comfy_table::CellAlignment;
use std::fmt::Write as _;
use tch::Tensor;

/// Prints the model's layers, with the shapes and the numbers of their parameters, when `fit` begins. Lightning's
/// [`ModelSummary`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ModelSummary.html).
#[derive(Debug, Default)]
pub struct ModelSummary {}

impl ModelSummary {
    /// Creates the callback.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<M: LightningModule> Callback<M> for ModelSummary {
    fn name(&self) -> &'static str {
        "ModelSummary"
    }

    fn on_fit_start(&mut self, _: &mut Context<Outside>, module: &mut M) -> Result<()> {
        let store = module.parameters();
        terminal::say(summary(&trainable(store), &buffers(store)));
        Ok(())
    }
}

/// Returns the table of the layers of named parameters and buffers.
fn summary(parameters: &[(String, Tensor)], buffers: &[(String, Tensor)]) -> String {
    let mut table = table::with_header(["Layer", "Tensors", "Elements"]);
    for layer in Graph::of(parameters.iter().chain(buffers)).layers {
        let elements = layer.tensors.iter().map(GraphTensor::elements).sum();
        table.add_row([layer.name.clone(), tensors(&layer), grouped(elements)]);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let (trained, kept) = (elements(parameters), elements(buffers));
    let bytes: usize =
        parameters.iter().chain(buffers).map(|(_, tensor)| tensor.numel() * tensor.kind().elt_size_in_bytes()).sum();
    let mut text = table.to_string();
    let _ = write!(text, "\n{} trainable parameters", grouped(trained));
    if kept > 0 {
        let _ = write!(text, ", {} in buffers", grouped(kept));
    }
    let _ = write!(text, ", {:.2} MB", bytes as f64 / 1e6);
    text
}

fn elements(tensors: &[(String, Tensor)]) -> u64 {
    tensors.iter().map(|(_, tensor)| tensor.numel() as u64).sum()
}

/// Lists the tensors of a layer in PyTorch's order, the weight before the bias.
fn tensors(layer: &GraphLayer) -> String {
    let mut tensors: Vec<_> = layer.tensors.iter().collect();
    tensors.sort_by_key(|tensor| match tensor.name.as_str() {
        "weight" => 0,
        "bias" => 1,
        _ => 2,
    });
    let shown: Vec<String> = tensors.into_iter().map(|tensor| format!("{} {:?}", tensor.name, tensor.shape)).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn summary_has_a_row_per_layer_and_totals() {
        let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
        let parameters = [("fc.bias".to_owned(), zeros(&[3])), ("fc.weight".to_owned(), zeros(&[3, 500]))];
        let text = summary(&parameters, &[("norm.running_mean".to_owned(), zeros(&[3]))]);
        assert!(text.contains("weight [3, 500], bias [3]"), "{text}");
        assert!(text.ends_with("1,503 trainable parameters, 3 in buffers, 0.01 MB"), "{text}");
    }
}
