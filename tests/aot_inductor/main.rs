//! Models that Python compiles ahead of time: their outputs, a training run with one as its teacher, and files and inputs that do not fit.
#![allow(missing_docs)]

mod distillation;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};
use tch_lightning::aot_inductor::AotInductorModel;
use tch_lightning::prelude::*;
use tests::python;
use tests::tensors::{assert_close, tensors};

/// The folder in which compile.py has written its files, for one test at a time; `None` where there is no Python to run it.
fn compiled() -> Option<(PathBuf, MutexGuard<'static, ()>)> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aot_inductor");
        let extracted = folder.join("extracted");
        let _ = fs::remove_dir_all(&extracted);
        fs::create_dir_all(&extracted).unwrap();
        tempfile::env::override_temp_dir(&extracted).unwrap();
        python::run("aot_inductor/compile.py", [&folder]).map(|_| folder)
    });
    folder.clone().map(|folder| (folder, guard))
}

fn load(folder: &Path) -> AotInductorModel {
    AotInductorModel::load(folder.join("teacher.pt2"), Device::Cpu).unwrap()
}

/// The error of loading a file, without the path of its folder.
fn said(folder: &Path, file: &str, device: Device) -> String {
    let error = AotInductorModel::load(folder.join(file), device).unwrap_err();
    error.to_string().replace(&format!("{}/", folder.display()), "")
}

/// The number of extracted packages.
fn extracted(folder: &Path) -> usize {
    fs::read_dir(folder.join("extracted")).unwrap().count()
}

#[test]
fn outputs_are_those_of_python_and_have_no_graph() {
    let Some((folder, _guard)) = compiled() else { return };
    let batches = tensors(folder.join("batches.safetensors"));
    let model = load(&folder);
    for size in [1, 7, 64] {
        let tensor = |name: &str| &batches[&format!("{name}_{size}")];
        let features = tensor("features").set_requires_grad(true);
        let outputs = model.forward(&[&features, tensor("scale")]).unwrap();
        assert_eq!(outputs.len(), 2);
        assert_close(&outputs[0], tensor("logits"), 1e-5, "logits");
        assert_close(&outputs[1], tensor("probabilities"), 1e-5, "probabilities");
        assert!(outputs.iter().all(|output| !output.requires_grad()));
    }
}

#[test]
fn threads_share_a_model() {
    let Some((folder, _guard)) = compiled() else { return };
    let batches = tensors(folder.join("batches.safetensors"));
    let model = load(&folder);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let [features, scale, logits] = ["features_64", "scale_64", "logits_64"].map(|name| batches[name].copy());
            let model = &model;
            scope.spawn(move || {
                for _ in 0..50 {
                    let outputs = model.forward(&[&features, &scale]).unwrap();
                    assert!(outputs[0].allclose(&logits, 1e-5, 1e-6, false));
                }
            });
        }
    });
}

#[test]
fn inputs_that_do_not_fit_are_errors() {
    let Some((folder, _guard)) = compiled() else { return };
    let model = load(&folder);
    let ones = |shape: &[i64]| Tensor::ones(shape, (Kind::Float, Device::Cpu));
    for (inputs, described, reason) in [
        (vec![], "", "expected inputs vector size to be 2, but got 0"),
        (vec![ones(&[7, 4])], "Float [7, 4]", "expected inputs vector size to be 2, but got 1"),
        (
            vec![ones(&[7, 5]), ones(&[7, 1])],
            "Float [7, 5], Float [7, 1]",
            "inputs[0]: unmatched dim value at 1, expected: 4, but got: 5",
        ),
        (
            vec![ones(&[65, 4]), ones(&[65, 1])],
            "Float [65, 4], Float [65, 1]",
            "inputs[0]: dim value is too large at 0, expected to be <= 64, but got: 65",
        ),
        (vec![ones(&[7, 4]), ones(&[2, 1])], "Float [7, 4], Float [2, 1]", "expected size 2==7, stride 1==1 at dim=0"),
        (
            vec![ones(&[4]), ones(&[7, 1])],
            "Float [4], Float [7, 1]",
            "inputs[0]: unmatched dim value at 1, expected: 4, but got: 0",
        ),
        (vec![ones(&[7, 4, 1]), ones(&[7, 1])], "Float [7, 4, 1], Float [7, 1]", "expected ndim 2 but got 3"),
        (
            vec![ones(&[7, 4]).to_kind(Kind::Int64), ones(&[7, 1])],
            "Int64 [7, 4], Float [7, 1]",
            "inputs[0]: unmatched dtype, expected: 6(at::kFloat), but got: 4",
        ),
        (
            vec![ones(&[4, 7]).tr(), ones(&[7, 1])],
            "Float [7, 4], Float [7, 1]",
            "inputs[0]: unmatched stride value at 0, expected: 4, but got: 1",
        ),
    ] {
        let expected = format!(
            "the AOTInductor model {} failed for the inputs ({described}): {reason}; it takes inputs with the dtypes, shapes and strides of its \
             export",
            folder.join("teacher.pt2").display()
        );
        assert_eq!(model.forward(&inputs).unwrap_err().to_string(), expected);
    }
    assert_eq!(model.forward(&[ones(&[7, 4]), ones(&[7, 1])]).unwrap().len(), 2, "it still runs");
}

#[test]
fn other_files_and_devices_are_errors() {
    let Some((folder, _guard)) = compiled() else { return };
    let package = fs::read(folder.join("teacher.pt2")).unwrap();
    fs::write(folder.join("empty.pt2"), "").unwrap();
    fs::write(folder.join("truncated.pt2"), &package[..package.len() / 2]).unwrap();
    let mut damaged = package.clone();
    damaged[package.len() / 2] ^= 1;
    fs::write(folder.join("damaged.pt2"), damaged).unwrap();
    Checkpoint::default().write(&folder.join("last.ckpt")).unwrap();

    let missing = said(&folder, "missing.pt2", Device::Cpu);
    assert_eq!(missing, "cannot read the AOTInductor package missing.pt2: No such file or directory (os error 2)");
    for (file, reason) in [
        ("empty.pt2", "it is not a zip file, or its end is missing"),
        ("truncated.pt2", "it is not a zip file, or its end is missing"),
        ("last.ckpt", "it is not a zip file, or its end is missing"),
        ("batches.safetensors", "it is not a zip file, or its end is missing"),
        ("cache", "it is a folder"),
        ("torchscript.pt", "it is a zip file without a compiled model"),
        ("state_dict.pt", "it is a zip file without a compiled model"),
    ] {
        assert_eq!(
            said(&folder, file, Device::Cpu),
            format!(
                "{file} is not an AOTInductor package: {reason}; `torch._inductor.aoti_compile_and_package` writes one in Python"
            )
        );
    }
    assert_eq!(
        said(&folder, "damaged.pt2", Device::Cpu),
        "cannot extract the AOTInductor package damaged.pt2 into a folder of extracted: Invalid checksum"
    );
    assert_eq!(
        said(&folder, "cuda.pt2", Device::Cpu),
        "the AOTInductor model cuda.pt2 cannot run on Cpu: it is compiled for cuda; export it in Python with the model and its inputs on cpu"
    );
    assert_eq!(
        said(&folder, "teacher.pt2", Device::Cuda(0)),
        "the AOTInductor model teacher.pt2 cannot run on Cuda(0): it is compiled for cpu; export it in Python with the model and its inputs on \
         cuda"
    );
    assert_eq!(extracted(&folder), 0, "no folder is left");
}

#[test]
fn package_is_extracted_while_its_model_lives() {
    let Some((folder, _guard)) = compiled() else { return };
    let model = load(&folder);
    let second = load(&folder);
    assert_eq!(extracted(&folder), 2);
    drop(model);
    assert_eq!(extracted(&folder), 1);
    drop(second);
    assert_eq!(extracted(&folder), 0);
}

#[test]
fn module_learns_from_a_compiled_teacher() {
    let Some((folder, _guard)) = compiled() else { return };
    distillation::run(load(&folder));
}
