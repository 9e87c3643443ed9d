//! Translates configuration files of Lightning's CLI to the program's own structure.

use super::callback_list::CALLBACKS;
use crate::stage::Stage;
use crate::yaml::{Table, shown};
use serde_json::Value;

/// The types of a program, by the sections of their hyperparameters.
pub(super) type Types = [(&'static str, &'static str); 2];

/// Moves the values of a Lightning file to the program's keys. Returns a mistake for each unsupported key, with what to use instead.
pub(super) fn translate(table: &mut Table, stage: Stage, types: Types) -> Vec<String> {
    take_verb(table, stage);
    let mut mistakes = Vec::new();
    // callbacks are not a setting of the trainer's configuration
    let callbacks = table.get_mut("trainer").and_then(|trainer| trainer.as_object_mut()?.remove(CALLBACKS));
    if let Some(callbacks) = callbacks {
        table.entry(CALLBACKS).or_insert(callbacks);
    }
    for key in ["verbose", "return_predictions", "weights_only"] {
        table.remove(key);
    }
    for (section, of_program) in types {
        if let Some(Value::Object(class)) = table.get_mut(section) {
            mistakes.extend(take_init_args(section, class, of_program));
        }
    }
    mistakes
}

/// Replaces a table with a section for each verb by the section of the running verb.
fn take_verb(table: &mut Table, stage: Stage) {
    for verb in [Stage::Fit, Stage::Validate, Stage::Test, Stage::Predict] {
        let name = verb.to_string();
        if !table.get(&name).is_some_and(|value| value.is_object() || value.is_null()) {
            continue;
        }
        let Some(Value::Object(inner)) = table.remove(&name).filter(|_| verb == stage) else { continue };
        for (key, value) in inner {
            match (table.get_mut(&key), value) {
                (Some(Value::Object(outer)), Value::Object(inner)) => outer.extend(inner),
                (_, value) => drop(table.insert(key, value)),
            }
        }
    }
}

/// Replaces a `class_path` with `init_args` by the arguments alone: the program's class is fixed. Returns a mistake if the class is
/// another one.
fn take_init_args(section: &str, class: &mut Table, of_program: &str) -> Option<String> {
    let is_class = class.keys().all(|key| matches!(key.as_str(), "class_path" | "init_args" | "dict_kwargs"));
    let Some(Value::String(path)) = class.get("class_path").filter(|_| is_class) else { return None };
    let name = path.rsplit(['.', ':']).next().unwrap_or(path).to_owned();
    let path = shown(path);
    let arguments = match class.remove("init_args") {
        Some(Value::Object(arguments)) => arguments,
        _ => Table::new(),
    };
    *class = arguments;
    let plain = of_program.split('<').next().unwrap_or(of_program);
    let plain = plain.rsplit("::").next().unwrap_or(plain);
    (name != plain).then(|| {
        format!(
            "`{section}.class_path` is `{path}`, but the {section} of this program is `{plain}`: remove `class_path`, and move the values \
             of `init_args` to `{section}`"
        )
    })
}
