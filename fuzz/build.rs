//! Lets the fuzzers find libtorch when they start.

fn main() {
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", std::env::var("DEP_TCH_LIGHTNING_LIBTORCH_LIB").unwrap());
}
