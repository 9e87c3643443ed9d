use tch_lightning::prelude::*;

#[derive(Batch)]
struct Points {
    x: Tensor,
    y: Tensor,
}

#[derive(Clone, Collate)]
struct Unnamed {
    x: [f32; 4],
    y: i64,
}

#[derive(Clone, Collate)]
#[collate(batch = "Points")]
struct Quoted {
    x: [f32; 4],
    y: i64,
}

#[derive(Clone, Collate)]
#[collate(Points)]
struct Listed {
    x: [f32; 4],
    y: i64,
}

#[derive(Clone, Collate)]
#[collate(into = Points)]
struct Misnamed {
    x: [f32; 4],
    y: i64,
}

fn unnamed() -> DataLoader<Points> {
    DataLoader::new(vec![Unnamed { x: [0.0; 4], y: 1 }])
}

fn quoted() -> DataLoader<Points> {
    DataLoader::new(vec![Quoted { x: [0.0; 4], y: 1 }])
}

fn listed() -> DataLoader<Points> {
    DataLoader::new(vec![Listed { x: [0.0; 4], y: 1 }])
}

fn misnamed() -> DataLoader<Points> {
    DataLoader::new(vec![Misnamed { x: [0.0; 4], y: 1 }])
}

fn main() {
    let loaders = [unnamed(), quoted(), listed(), misnamed()];
    let batches = loaders.map(|loader| loader.epoch(0).unwrap().next().unwrap().unwrap());
    assert!(batches.iter().all(|Points { x, y }| x.size() == [1, 4] && y.size() == [1]));
}
