//! A warning of layers at the same path of a store.

use crate::messages;
use std::collections::{BTreeSet, HashMap};
use tch::Tensor;
use tch::nn::VarStore;

/// Warns of variables whose name was there before, so that tch has added a number to it that depends on the order of all variables.
pub(crate) fn warn(store: &VarStore) {
    let variables = store.variables();
    let repeated: BTreeSet<&str> = variables.keys().filter_map(|name| path_of_first(name, &variables)).collect();
    for path in repeated {
        messages::warning!(
            "two layers are at the path `{path}` of the `VarStore`, so that the names of their parameters depend on the order in which they \
             were created: give each a path of its own, as in `vs.root() / \"fc1\"` and `vs.root() / \"fc2\"`"
        );
    }
}

/// Returns the path of the variable that had the name before, such as `fc` for `fc.weight__3`.
fn path_of_first<'a>(name: &'a str, variables: &HashMap<String, Tensor>) -> Option<&'a str> {
    let (first, number) = name.rsplit_once("__")?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    (is_number && variables.contains_key(first)).then(|| first.rsplit_once('.').map_or(first, |(path, _)| path))
}
