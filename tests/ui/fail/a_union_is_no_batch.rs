use tch_lightning::data::Batch;

#[derive(Batch)]
union Number {
    whole: i64,
    real: f64,
}

fn main() {
    println!("{:?}", Number { whole: 3 }.batch_size());
}
