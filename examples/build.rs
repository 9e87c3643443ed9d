//! Sets the run path, so that the examples find libtorch from any working directory.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN:{}", std::env::var("DEP_TCH_LIGHTNING_LIBTORCH_LIB").unwrap());
}
