//! A warning of layers at the same path of a store.

use crate::messages;
use std::collections::BTreeSet;
use tch::nn::VarStore;

/// Warns of variables whose name was there before, so that tch has added a number to it that depends on the order of all variables.
pub(crate) fn warn(store: &VarStore) {
    let names: Vec<String> = store.variables().into_keys().collect();
    let repeated: BTreeSet<&str> = names.iter().filter_map(|name| first_of(name, &names)).collect();
    for path in repeated {
        messages::warning!(
            "two layers are at the path `{path}` of the `VarStore`, so that the names of their parameters depend on the order in which they \
             were created: give each a path of its own, as in `vs.root() / \"fc1\"` and `vs.root() / \"fc2\"`"
        );
    }
}

/// Returns the path of the variable that had the name before, such as `fc` for `fc.weight__3`.
fn first_of<'a>(name: &'a str, names: &[String]) -> Option<&'a str> {
    let (first, number) = name.rsplit_once("__")?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let is_repeated = is_number && names.iter().any(|other| other == first);
    is_repeated.then(|| first.rsplit_once('.').map_or(first, |(path, _)| path))
}
