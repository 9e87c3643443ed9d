use tch_lightning::prelude::*;

struct Caption {
    text: String,
}

#[derive(tch_lightning::data::Batch)]
struct Captioned {
    images: Tensor,
    captions: Vec<Caption>,
}

fn main() {
    println!("{}", Caption { text: String::new() }.text);
}
