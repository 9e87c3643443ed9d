use tch_lightning::Batch;

#[derive(Batch)]
union Number {
    whole: i64,
    real: f64,
}

fn main() {}
