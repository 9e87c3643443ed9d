//! Lets the tests find libtorch when they start.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN:{}", std::env::var("DEP_TCH_LIGHTNING_LIBTORCH_LIB").unwrap());
}
