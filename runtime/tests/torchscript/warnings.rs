//! Warnings about what is a constant in a trace.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tch::nn::RNN as _;
use tch_lightning::prelude::*;
use tch_lightning::torchscript;
use tracing_subscriber::fmt::MakeWriter;

use super::inputs;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

struct Recurrent {
    vs: nn::VarStore,
    lstm: nn::LSTM,
    gru: nn::GRU,
}

impl Recurrent {
    fn new() -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let lstm = nn::lstm(vs.root() / "lstm", 3, 2, nn::RNNConfig::default());
        let gru = nn::gru(vs.root() / "gru", 3, 2, nn::RNNConfig::default());
        Self { vs, lstm, gru }
    }
}

#[lightning_module]
impl Recurrent {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

/// Returns the warnings of a trace of `forward` for inputs `[4, 5, 3]`.
fn warnings(forward: impl FnMut(&mut Recurrent, &[Tensor]) -> Result<Tensor>) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(lines.clone()).finish();
    let input = inputs(20).view([4, 5, 3]);
    tracing::subscriber::with_default(subscriber, || {
        torchscript::trace(&mut Recurrent::new(), &[input], forward).unwrap();
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let warnings = text.lines().filter_map(|line| line.split_once("the traced module "));
    warnings.map(|(_, warning)| warning.split(',').next().unwrap().to_owned()).collect()
}

#[test]
fn computation_by_operations_is_not_warned_of() {
    assert!(warnings(|_, inputs| Ok(inputs[0].flatten(1, 2).relu())).is_empty());
    // zeros that are computed from the input
    let with_state = warnings(|model, inputs| {
        let state = inputs[0].select(1, 0).narrow(1, 0, 2).unsqueeze(0) * 0.0;
        let state = nn::LSTMState((state.shallow_clone(), state));
        Ok(model.lstm.seq_init(&inputs[0], &state).0)
    });
    assert!(with_state.is_empty(), "{with_state:?}");
}

#[test]
fn sizes_that_are_read_are_warned_of() {
    let batch = warnings(|_, inputs| Ok(inputs[0].view([inputs[0].size()[0], 15])));
    assert_eq!(batch, ["works for a batch size of 4 only"]);
    let length = warnings(|_, inputs| {
        Ok(&inputs[0] + Tensor::arange(inputs[0].size()[1], (Kind::Float, Device::Cpu)).unsqueeze(-1))
    });
    assert_eq!(length, ["works only for inputs whose dimension 1 is 5"]);
}

#[test]
fn numbers_that_are_read_are_warned_of() {
    let number = warnings(|_, inputs| Ok(&inputs[0] - inputs[0].double_value(&[0, 0, 0])));
    assert_eq!(number, ["has 1 number as a constant: what a computation reads from a tensor"]);
}

/// What a larger batch would do to the memory of this program is not tried.
#[test]
fn initial_states_of_recurrent_layers_are_warned_of() {
    for forward in [
        |model: &mut Recurrent, inputs: &[Tensor]| Ok(model.lstm.seq(&inputs[0]).0),
        |model: &mut Recurrent, inputs: &[Tensor]| Ok(model.gru.seq(&inputs[0]).0),
    ] {
        assert_eq!(warnings(forward), ["works for the batch size of the trace only"]);
    }
}
