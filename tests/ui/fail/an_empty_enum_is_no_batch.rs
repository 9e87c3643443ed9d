use tch_lightning::data::Batch;

#[derive(Batch)]
enum Never {}

fn main() {}
