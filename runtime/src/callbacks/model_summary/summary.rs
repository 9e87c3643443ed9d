use crate::counted::{counted, grouped};
use crate::loggers::{Graph, GraphLayer, GraphTensor};
use crate::profiler::{LayerCall, ObservedStep};
use crate::table;
use comfy_table::{CellAlignment, ColumnConstraint, Table};
use std::fmt::Write as _;
use tch::Tensor;

/// The layers of named parameters and buffers, with what was observed of a training step.
pub(super) struct Summary<'a> {
    pub(super) parameters: &'a [(String, Tensor)],
    pub(super) buffers: &'a [(String, Tensor)],
    pub(super) step: Option<&'a ObservedStep>,
}

const TENSORS: usize = 1;
const NUMBERS: [usize; 2] = [2, 5];

impl Summary<'_> {
    /// Returns the table and the lines below it. Without room for it in `width`, the table has no column of tensors.
    pub(super) fn text(&self, width: Option<u16>) -> String {
        let mut table = self.table();
        let is_wider = |width: u16| table.lines().any(|line| line.chars().count() > usize::from(width));
        if width.is_some_and(is_wider)
            && let Some(column) = table.column_mut(TENSORS)
        {
            column.set_constraint(ColumnConstraint::Hidden);
        }
        format!("{table}\n{}", self.totals())
    }

    fn table(&self) -> Table {
        let columns = ["Layer", "Tensors", "Elements", "In", "Out", "FLOPs"];
        let columns = if self.step.is_some() { &columns[..] } else { &columns[..3] };
        let mut table = table::with_header(columns.iter().copied());
        for layer in Graph::of(self.parameters.iter().chain(self.buffers)).layers {
            let call = self.step.and_then(|step| step.layer(&layer.name));
            table.add_row(self.row(&layer, call).into_iter().take(columns.len()));
        }
        for index in NUMBERS {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    fn row(&self, layer: &GraphLayer, call: Option<&LayerCall>) -> [String; 6] {
        let calls = call.map_or(1, |call| call.calls);
        let name = if calls == 1 { layer.name.clone() } else { format!("{} ×{calls}", layer.name) };
        let shape = |shape: &Vec<i64>| format!("{shape:?}");
        [
            name,
            self.tensors(layer),
            grouped(layer.tensors.iter().map(GraphTensor::elements).sum()),
            call.map(|call| shape(&call.input)).unwrap_or_default(),
            call.map(|call| call.output.as_ref().map_or_else(|| "failed".to_owned(), shape)).unwrap_or_default(),
            call.filter(|call| call.output.is_some()).map(|call| grouped(call.flops)).unwrap_or_default(),
        ]
    }

    /// Lists the tensors of a layer in PyTorch's order, the weight before the bias.
    fn tensors(&self, layer: &GraphLayer) -> String {
        let mut tensors: Vec<_> = layer.tensors.iter().collect();
        tensors.sort_by_key(|tensor| match tensor.name.as_str() {
            "weight" => 0,
            "bias" => 1,
            _ => 2,
        });
        let shown = tensors.into_iter().map(|tensor| {
            let path =
                if layer.name.is_empty() { tensor.name.clone() } else { format!("{}.{}", layer.name, tensor.name) };
            let is_frozen = !tensor.requires_grad && self.parameters.iter().any(|(name, _)| *name == path);
            format!("{} {:?}{}", tensor.name, tensor.shape, if is_frozen { " frozen" } else { "" })
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Returns the sums over all layers, and the operations of the step.
    fn totals(&self) -> String {
        let (trained, frozen): (Vec<&Tensor>, Vec<&Tensor>) =
            self.parameters.iter().map(|(_, tensor)| tensor).partition(|tensor| tensor.requires_grad());
        let buffers: Vec<&Tensor> = self.buffers.iter().map(|(_, tensor)| tensor).collect();
        let elements = |tensors: &[&Tensor]| tensors.iter().map(|tensor| tensor.numel() as u64).sum::<u64>();
        let mut text = format!("{} trainable parameters", grouped(elements(&trained)));
        for (tensors, what) in [(&frozen, "frozen"), (&buffers, "in buffers")] {
            if !tensors.is_empty() {
                let _ = write!(text, ", {} {what}", grouped(elements(tensors)));
            }
        }
        let all = trained.iter().chain(&frozen).chain(&buffers);
        let bytes: usize = all.map(|tensor| tensor.numel() * tensor.kind().elt_size_in_bytes()).sum();
        let _ = write!(text, ", {:.2} MB", bytes as f64 / 1e6);
        if let Some(step) = self.step.filter(|step| !step.has_failed) {
            let batch = step.samples.map(|samples| format!(" of {}", counted(samples, "sample"))).unwrap_or_default();
            let flops = grouped(step.flops);
            let _ =
                write!(text, "\n{flops} floating-point operations in the forward and backward pass of a batch{batch}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn parameter(name: &str, size: &[i64], trained: bool) -> (String, Tensor) {
        (name.to_owned(), Tensor::zeros(size, (Kind::Float, Device::Cpu)).set_requires_grad(trained))
    }

    #[test]
    fn summary_has_a_row_per_layer_and_totals() {
        let parameters = [parameter("fc.bias", &[3], true), parameter("fc.weight", &[3, 500], true)];
        let buffers = [parameter("norm.running_mean", &[3], false)];
        let summary = Summary { parameters: &parameters, buffers: &buffers, step: None };
        let text = summary.text(None);
        assert!(text.contains("weight [3, 500], bias [3]"), "{text}");
        assert!(text.ends_with("1,503 trainable parameters, 3 in buffers, 0.01 MB"), "{text}");
    }

    #[test]
    fn summary_of_a_narrow_terminal_has_no_tensors() {
        let parameters = [parameter("fc.weight", &[3, 500], true), parameter("fc.bias", &[3], false)];
        let summary = Summary { parameters: &parameters, buffers: &[], step: None };
        assert!(summary.text(Some(80)).contains("weight [3, 500], bias [3] frozen"));
        let narrow = summary.text(Some(40));
        assert!(!narrow.contains("weight") && !narrow.contains("Tensors"), "{narrow}");
        assert!(
            narrow.contains("1,503") && narrow.ends_with("1,500 trainable parameters, 3 frozen, 0.01 MB"),
            "{narrow}"
        );
    }
}
