//! PyTorch Lightning's module, hooks and trainer, in Rust over libtorch.
