use std::path::PathBuf;
use tch_lightning::prelude::*;

#[derive(Collate)]
#[collate(batch = Photos)]
struct Photo {
    pixels: [u8; 12],
    path: PathBuf,
    sizes: [String; 2],
}

#[derive(Batch)]
struct Photos {
    pixels: Tensor,
    path: Vec<String>,
    sizes: Tensor,
}

fn main() {
    let _ = Photo::collate(Vec::new()).map(|Photos { pixels, path, sizes }| (pixels, path, sizes));
}
