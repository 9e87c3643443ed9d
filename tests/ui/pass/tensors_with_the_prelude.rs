//! The prelude leaves the methods of tensors as they are.

use tch_lightning::prelude::*;

#[test]
fn methods_of_tensors_are_tchs() {
    let tensor = Tensor::from_slice(&[1.0, 2.0]);
    let moved: Tensor = tensor.to_device(Device::Cpu);
    assert_eq!(moved.size(), [2]);
    let pin: fn(&Tensor, Device) -> Tensor = |tensor, device| tensor.pin_memory(device);
    assert_eq!(std::mem::size_of_val(&pin), std::mem::size_of::<usize>());
}
