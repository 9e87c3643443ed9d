//! A declaration that differs between Rust and C++ does not compile, and a struct has one layout in both.

#[path = "../build/declarations.rs"]
mod declarations;

use declarations::header;
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The declarations of the crate.
const DECLARATIONS: &str = include_str!("../src/native/declarations.rs");

/// Those of the optimizers' steps.
const STEPS: &str = include_str!("../src/native/steps/declarations.rs");

/// What the compiler says of C++ that includes the header of `rust`; empty where it compiles.
fn errors(rust: &str, cpp: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("declarations.h"), header(&[rust]).unwrap()).unwrap();
    let source = folder.path().join("source.cpp");
    fs::write(&source, format!("#include \"declarations.h\"\n{cpp}\n")).unwrap();
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let output = Command::new(compiler).args(["-std=c++17", "-fsyntax-only"]).arg(source).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.is_empty(), output.status.success(), "{errors}");
    errors
}

/// The definition of an entry point in C++ with these parameters.
fn lerp(parameters: &str) -> String {
    format!("extern \"C\" char* lightning_lerp({parameters}) {{ return nullptr; }}")
}

#[test]
fn signature_that_differs_does_not_compile() {
    let right = "const at::Tensor* const* from, const at::Tensor* const* to, size_t count, double weight";
    assert_eq!(errors(DECLARATIONS, &lerp(right)), "");
    for (part, other) in [
        ("double weight", "float weight"),
        ("size_t count", "int count"),
        ("const at::Tensor* const* to", "const at::Tensor* to"),
        (", double weight", ""),
        ("size_t count, double weight", "double weight, size_t count"),
    ] {
        let said = errors(DECLARATIONS, &lerp(&right.replace(part, other)));
        assert!(said.contains("lightning_lerp"), "{part} -> {other}: {said}");
    }
    // changed in Rust
    let said = errors(&DECLARATIONS.replace("weight: f64,\n    ) ->", "weight: i64,\n    ) ->"), &lerp(right));
    assert!(said.contains("lightning_lerp"), "{said}");
}

#[test]
fn field_that_is_renamed_or_missing_does_not_compile() {
    let cpp = "double dampening(const lightning::SgdOptions* options) { return options->dampening; }";
    let structs = STEPS.split("// one file for each algorithm").next().unwrap();
    assert_eq!(errors(structs, cpp), "");
    assert!(errors(&structs.replace("dampening", "damping"), cpp).contains("dampening"));
    assert!(errors(&structs.replace("pub(crate) dampening: f64,", ""), cpp).contains("dampening"));
}

/// Declares a struct, and keeps its text.
macro_rules! declared {
    ($name:ident, $text:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[repr(C)]
        #[allow(dead_code)]
        struct $name { $($field: $type),* }
        const $text: &str = stringify!(#[repr(C)] struct $name { $($field: $type),* });
        impl $name {
            /// C++ that compiles only where each field lies where Rust has it.
            fn assertions() -> String {
                let fields = [$((stringify!($field), offset_of!($name, $field))),*];
                let name = concat!("lightning::", stringify!($name));
                let offsets = fields.map(|(field, offset)| format!("static_assert(offsetof({name}, {field}) == {offset});\n"));
                format!("static_assert(sizeof({name}) == {});\n{}", size_of::<$name>(), offsets.concat())
            }
        }
    };
}

declared!(Mixed, MIXED { a: bool, b: f64, c: i8, d: i64, e: bool, f: u64, g: i8, h: usize, i: bool });
declared!(Reordered, REORDERED { b: f64, a: bool, c: i8, e: bool, g: i8, i: bool, d: i64, f: u64, h: usize });

#[test]
fn struct_has_one_layout_in_rust_and_cpp() {
    assert_eq!(errors(MIXED, &Mixed::assertions()), "");
    assert_eq!(errors(REORDERED, &Reordered::assertions()), "");
    assert_ne!(size_of::<Mixed>(), size_of::<Reordered>());
    // the order of Rust's fields decides, and not that in which C++ reads them
    let renamed = Reordered::assertions().replace("Reordered", "Mixed");
    assert!(errors(MIXED, &renamed).contains("static assertion failed"));
}

#[test]
fn type_without_a_counterpart_in_cpp_is_refused() {
    let refused = |rust: &str| header(&[rust]).unwrap_err();
    assert_eq!(refused("extern \"C\" { fn f(name: String); }"), "`f`: `String` has no counterpart in C++");
    assert_eq!(refused("extern \"C\" { fn f(other: *const Other); }"), "`f`: `Other` has no counterpart in C++");
    assert_eq!(refused("extern \"C\" { fn f(text: &str); }"), "`f`: only pointers and named types cross the boundary");
    assert_eq!(refused("#[repr(C)] struct Options { rate: f16 }"), "`Options::rate`: `f16` has no counterpart in C++");
    assert_eq!(refused("struct Options { rate: f64 }"), "`Options` crosses the boundary, and must be `#[repr(C)]`");
}

#[test]
fn entry_points_are_declared_in_files_of_that_name() {
    // functions of the system may be declared where they are called
    let declares = |text: &str| text.contains("extern \"C\" {") && text.contains("fn lightning_");
    fn files(folder: &Path) -> Vec<PathBuf> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }
    let mut found = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    found.retain(|path| declares(&fs::read_to_string(path).unwrap()));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|path| path.ends_with("declarations.rs")), "{found:?}");
}

#[test]
fn function_of_a_declared_type_that_differs_does_not_compile() {
    let rust = "pub(super) type NewThing = unsafe extern \"C\" fn(size: u32, thing: *mut *mut c_void) -> *mut c_char;";
    let cpp = |parameters: &str| {
        format!("extern \"C\" {{ lightning::NewThing new_thing; char* new_thing({parameters}) {{ return nullptr; }} }}")
    };
    assert_eq!(errors(rust, &cpp("uint32_t size, void** thing")), "");
    for parameters in ["uint64_t size, void** thing", "uint32_t size", "uint32_t size, void* thing"] {
        assert!(errors(rust, &cpp(parameters)).contains("new_thing"), "{parameters}");
    }
}
