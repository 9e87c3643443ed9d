//! What the processes tell one another at the start, so that those that cannot run together are refused.

use serde::{Deserialize, Serialize};

/// What a process tells the others about itself at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub(crate) host: String,
    pub(crate) process: u32,
    pub(crate) world_size: usize,
    /// What all processes have in common, by name: the program, its version and its configuration.
    pub(crate) common: serde_json::Map<String, serde_json::Value>,
}

impl Introduction {
    /// What another process has otherwise than this one, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let differs = |(name, value): (&String, &serde_json::Value)| {
            let there = other.common.get(name).cloned().unwrap_or_default();
            (there != *value).then(|| match name.as_str() {
                "program" => "runs another program than rank 0".to_owned(),
                _ => format!("has `{name}` = {there}, and rank 0 has {value}"),
            })
        };
        let world_size = (self.world_size != other.world_size)
            .then(|| format!("was started as one of {} processes, and not of {}", other.world_size, self.world_size));
        world_size.or_else(|| self.common.iter().find_map(differs))
    }
}

/// What an error says in place of the name of a machine that is not known.
pub(super) fn unknown_host() -> String {
    "an unknown host".to_owned()
}

/// The name of this machine.
pub(super) fn this_host() -> String {
    sysinfo::System::host_name().unwrap_or_else(unknown_host)
}
