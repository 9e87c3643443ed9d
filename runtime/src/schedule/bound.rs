//! Schedules that are bound to parameter groups.

use super::bound_rule::BoundRule;
use super::node::Node;
use super::reduce_lr_on_plateau::Plateau;

/// A bound schedule: the result of [`Description::bind`](super::description::Description::bind).
#[derive(Debug)]
pub(super) enum Bound {
    Rule(BoundRule),
    Composition(Box<dyn Node>),
    OnMetric(Plateau),
}
