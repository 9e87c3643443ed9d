/// Seeds all random numbers: initial weights and dropout, the order of shuffled data, augmentations. Lightning's
/// [`seed_everything`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#reproducibility).
///
/// libtorch's generators are seeded on every device. Each later run uses this seed for the order of its data, except for loaders
/// and samplers with their own seed; see [`DataLoader`](crate::data::DataLoader).
pub fn seed_everything(seed: i64) {
    tch::manual_seed(seed);
    crate::data::seed_was_chosen();
}
