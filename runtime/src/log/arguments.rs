use super::Reduction;
use serde::{Deserialize, Serialize};

/// The arguments of a log call other than name and value. All calls with the same name in a hook have the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arguments {
    pub(crate) on_step: bool,
    pub(crate) on_epoch: bool,
    pub(crate) prog_bar: bool,
    pub(crate) logger: bool,
    pub(crate) reduction: Reduction,
    /// Whether the name gets the number of the loader, where there are several.
    pub(crate) add_dataloader_idx: bool,
    /// Whether the values of several processes become one, and how.
    pub(crate) sync_dist: Option<Reduction>,
}

impl Arguments {
    /// Whether the values of an epoch are kept in the same way.
    pub(super) fn accumulate_as(self, other: Self) -> bool {
        (self.on_epoch, self.reduction) == (other.on_epoch, other.reduction)
    }

    /// Describes the differences between two calls.
    pub(super) fn differences(self, second: Self) -> impl Iterator<Item = String> {
        let flag =
            |name: &str, one: bool, other: bool| (one != other).then(|| format!("`{name}` is {one}, then {other}"));
        let (one, other) = (self.reduction, second.reduction);
        let differences = [
            flag("on_step", self.on_step, second.on_step),
            flag("on_epoch", self.on_epoch, second.on_epoch),
            flag("prog_bar", self.prog_bar, second.prog_bar),
            flag("logger", self.logger, second.logger),
            flag("sync_dist", self.sync_dist.is_some(), second.sync_dist.is_some()),
            flag("add_dataloader_idx", self.add_dataloader_idx, second.add_dataloader_idx),
            (one != other).then(|| format!("`reduce` is {one:?}, then {other:?}")),
        ];
        differences.into_iter().flatten()
    }
}
