//! Sets the run path, so that the benchmarks find libtorch.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", std::env::var("DEP_TCH_LIGHTNING_LIBTORCH_LIB").unwrap());
}
