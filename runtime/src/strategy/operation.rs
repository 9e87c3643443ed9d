//! The operations that all ranks take part in, as errors name them.

use std::fmt;

/// What an operation of all ranks is for. The module's documentation lists their places in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Operation {
    /// No operation yet.
    #[default]
    Start,
    Devices,
    Seed,
    Data,
    StartingPoint,
    Paths,
    Parameters,
    Optimizers,
    Reducer,
    Batches,
    Buffers,
    Normalization,
    Gradients,
    Losses,
    Terms,
    Stop,
    LoggedValues,
    Metrics,
    Replicas,
    MonitoredValues,
    Intervals,
    Checkpoint,
    End,
    /// An operation that the user's program calls, after all ranks have compared their [`Call`](super::Call)s.
    Called,
}

impl Operation {
    const ALL: [Self; 24] = [
        Self::Start,
        Self::Devices,
        Self::Seed,
        Self::Data,
        Self::StartingPoint,
        Self::Paths,
        Self::Parameters,
        Self::Optimizers,
        Self::Reducer,
        Self::Batches,
        Self::Buffers,
        Self::Normalization,
        Self::Gradients,
        Self::Losses,
        Self::Terms,
        Self::Stop,
        Self::LoggedValues,
        Self::Metrics,
        Self::Replicas,
        Self::MonitoredValues,
        Self::Intervals,
        Self::Checkpoint,
        Self::End,
        Self::Called,
    ];

    /// What a rank is doing in it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "starting the run",
            Self::Devices => "comparing devices",
            Self::Seed => "agreeing on the seed",
            Self::Data => "waiting for the data to be prepared",
            Self::StartingPoint => "comparing the checkpoints to start from",
            Self::Paths => "agreeing on a path",
            Self::Parameters => "sending the parameters",
            Self::Optimizers => "comparing the optimizers",
            Self::Reducer => "preparing the gradients",
            Self::Batches => "agreeing on the batches",
            Self::Buffers => "sending buffers",
            Self::Normalization => "normalizing a batch",
            Self::Gradients => "averaging gradients",
            Self::Losses => "agreeing on whether to skip a step",
            Self::Terms => "counting the terms of the losses",
            Self::Stop => "agreeing on whether to stop",
            Self::LoggedValues => "joining logged values",
            Self::Metrics => "joining metrics",
            Self::Replicas => "comparing the parameters",
            Self::MonitoredValues => "agreeing on monitored values",
            Self::Intervals => "agreeing on whether an interval has passed",
            Self::Checkpoint => "collecting the states for a checkpoint",
            Self::End => "ending the run",
            Self::Called => "an operation of all processes",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many operations of all ranks this one has begun, and the last ones, as one number that another thread reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) operations: u64,
    /// The last ones, of which the first is the newest.
    pub(super) recent: Vec<Operation>,
}

/// The number of operations that a position contains, each in one byte.
const RECENT: usize = 4;

impl Position {
    pub(super) fn of_number(number: u64) -> Self {
        let operations = number >> u32::BITS;
        let recent = number.to_le_bytes().into_iter().take(RECENT);
        let recent = recent.filter_map(|operation| Operation::ALL.get(usize::from(operation)).copied());
        Self { operations, recent: recent.filter(|operation| *operation != Operation::Start).collect() }
    }

    /// Returns the number of the position after this one.
    #[inline]
    pub(super) const fn next_number(number: u64, operation: Operation) -> u64 {
        let recent = (number << u8::BITS) & 0xFFFF_FFFF;
        (((number >> u32::BITS) + 1) << u32::BITS) | recent | operation as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_is_one_number() {
        let mut number = 0;
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index);
            number = Position::next_number(number, operation);
            assert_eq!(Position::of_number(number).operations, index as u64 + 1);
        }
        let recent = [Operation::Called, Operation::End, Operation::Checkpoint, Operation::Intervals];
        assert_eq!(Position::of_number(number), Position { operations: 24, recent: recent.to_vec() });
        let first = Position::next_number(0, Operation::Devices);
        assert_eq!(Position::of_number(first), Position { operations: 1, recent: vec![Operation::Devices] });
    }
}
