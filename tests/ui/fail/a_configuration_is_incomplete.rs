use tch_lightning::prelude::*;

fn main() {
    let config = TrainerConfig { max_epochs: Some(3) };
    println!("{config:?}");
}
