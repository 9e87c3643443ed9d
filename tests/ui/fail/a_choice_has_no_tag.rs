use serde::{Deserialize, Serialize};
use tch_lightning::Choice;

#[derive(Clone, Choice, Serialize, Deserialize)]
enum Encoder {
    Resnet { depth: i64 },
    Vit { patch: i64 },
}

#[derive(Clone, Choice, Serialize, Deserialize)]
struct Vit {
    patch: i64,
}

fn main() {}
