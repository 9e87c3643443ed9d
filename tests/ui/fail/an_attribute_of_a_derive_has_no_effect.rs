use tch_lightning::prelude::*;

#[derive(Batch)]
struct Contracted {
    #[batch("N", f32)]
    name: String,
    #[batch(0..10)]
    label: i64,
    #[batch("N 512", i64)]
    tokens: Vec<Option<i64>>,
    #[batch("N 3", f32)]
    images: Vec<Tensor>,
    #[batch(10..0)]
    labels: Tensor,
}

#[derive(Batch)]
#[batch("N 3 H W", f32)]
struct OnTheType {
    images: Tensor,
}

#[derive(Batch)]
#[batch(skip)]
struct SkippedType {
    images: Tensor,
}

#[derive(Batch)]
#[batch]
struct WithoutArguments {
    #[batch]
    images: Tensor,
    #[batch = "N 3"]
    others: Tensor,
}

#[derive(Batch)]
enum OnVariants {
    #[batch("N 3")]
    Image(Tensor),
    #[batch(skip)]
    Text(String),
}

#[derive(Clone, serde::Serialize, serde::Deserialize, tch_lightning::Choice)]
#[serde(tag = "name")]
enum OnFields {
    Adam {
        #[choice(long)]
        lr: f64,
    },
}

#[derive(Clone, serde::Serialize, serde::Deserialize, tch_lightning::Choice)]
#[serde(tag = "name")]
#[choice]
enum ChoiceWithoutArguments {
    Adam { lr: f64 },
}

fn main() {}
