use tch_lightning::Batch;

#[derive(Batch)]
enum Never {}

fn main() {}
