//! What the processes tell one another at the start, so that those that cannot run together are refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a process tells the others about itself at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub(crate) host: String,
    pub(crate) process: u32,
    /// The cores that the process may use, as the operating system lists them; empty if it does not.
    pub(crate) cores: String,
    pub(crate) world_size: usize,
    /// The name of the program, which all processes have in common.
    pub(crate) program: String,
    /// The verb that it runs, which all processes have in common.
    pub(crate) verb: String,
    /// The configuration of the program, which all processes have in common.
    pub(crate) configuration: Value,
}

impl Introduction {
    /// Returns what differs in another process, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self.world_size != other.world_size {
            let (here, there) = (self.world_size, other.world_size);
            return Some(format!("was started as one of {there} processes, and not of {here}"));
        }
        if self.program != other.program {
            return Some("runs another program than rank 0".to_owned());
        }
        if self.verb != other.verb {
            return Some(format!("runs `{}`, and rank 0 runs `{}`", other.verb, self.verb));
        }
        let (name, here, there) = differing(String::new(), &self.configuration, &other.configuration)?;
        // hyperparameters of the module have flags without a section
        let name = name.strip_prefix("model.").unwrap_or(&name);
        Some(format!("has `{name}` = {there}, and rank 0 has {here}"))
    }

    /// Whether both processes compute on the same cores.
    pub(super) fn shares_cores(&self, other: &Self) -> bool {
        self.host == other.host && self.cores == other.cores
    }
}

/// Returns the name and the values of the first setting that differs.
pub(super) fn differing(name: String, here: &Value, there: &Value) -> Option<(String, Value, Value)> {
    let (Value::Object(of_here), Value::Object(of_there)) = (here, there) else {
        return (here != there).then(|| (name, here.clone(), there.clone()));
    };
    of_here.keys().chain(of_there.keys()).find_map(|key| {
        let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        let value = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        differing(name, &value(of_here), &value(of_there))
    })
}

/// What an error says in place of the name of a machine that is not known.
pub(super) fn unknown_host() -> String {
    "an unknown host".to_owned()
}

/// The name of this machine.
pub(super) fn this_host() -> String {
    sysinfo::System::host_name().unwrap_or_else(unknown_host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn introduction(configuration: Value) -> Introduction {
        Introduction {
            host: "node1".to_owned(),
            process: 1,
            cores: "0-3".to_owned(),
            world_size: 2,
            program: "digits".to_owned(),
            verb: "fit".to_owned(),
            configuration,
        }
    }

    #[test]
    fn difference_names_the_setting_and_both_values() {
        for (here, there, said) in [
            (json!({ "max_epochs": 1 }), json!({ "max_epochs": 2 }), "has `max_epochs` = 2, and rank 0 has 1"),
            (
                json!({ "model": { "lr": 0.1 } }),
                json!({ "model": { "lr": 0.2 } }),
                "has `lr` = 0.2, and rank 0 has 0.1",
            ),
            (json!({ "data": { "n": 3 } }), json!({ "data": { "n": 4 } }), "has `data.n` = 4, and rank 0 has 3"),
            // a setting that only one of them has
            (json!({}), json!({ "optimizer": "sgd" }), "has `optimizer` = \"sgd\", and rank 0 has null"),
            (json!({ "optimizer": { "lr": 1 } }), json!({}), "has `optimizer` = null, and rank 0 has {\"lr\":1}"),
        ] {
            assert_eq!(introduction(here).difference(&introduction(there)).as_deref(), Some(said));
        }
        let same = introduction(json!({ "max_epochs": 1 }));
        let other_verb = Introduction { verb: "test".to_owned(), ..introduction(json!({ "max_epochs": 2 })) };
        assert_eq!(same.difference(&other_verb).as_deref(), Some("runs `test`, and rank 0 runs `fit`"));
        assert_eq!(same.difference(&same), None);
    }

    #[test]
    fn cores_are_shared_by_processes_of_a_machine_with_the_same_ones() {
        let first = introduction(Value::Null);
        assert!(first.shares_cores(&first));
        // bound to cores of its own, as by `srun --cpu-bind` or `taskset`
        assert!(!first.shares_cores(&Introduction { cores: "4-7".to_owned(), ..first.clone() }));
        assert!(!first.shares_cores(&Introduction { host: "node2".to_owned(), ..first.clone() }));
    }
}
