use serde::{Deserialize, Serialize};
use tch_lightning::Choice;

#[derive(Clone, Choice, Serialize, Deserialize)]
#[serde(tag = "name")]
enum Dropout {
    None {},
    Rate(f64),
}

fn main() {}
