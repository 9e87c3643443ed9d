//! What the README shows: its programs, in a project outside of this one that depends on the packages for crates.io, and its commands.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const README: &str = include_str!("../README.md");

/// The code blocks of a language, in their order.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while lines.any(|line| line == format!("```{language}")) {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect());
    }
    blocks
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Where this test was built, so that libtorch's bindings need no second build.
fn target_folder() -> PathBuf {
    let program = env::current_exe().unwrap();
    program.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release")).unwrap().join("..")
}

/// cargo, without what it has told this test: build scripts would run again where one of these variables is another one.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let is_of_package =
        |name: &str| name == "OUT_DIR" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    env::vars().filter(|(name, _)| is_of_package(name)).for_each(|(name, _)| _ = cargo.env_remove(name));
    cargo
}

/// Runs a script of the set-up for a project.
fn set_up(script: &str, project: &Path) {
    let script = checkout().join("setup").join(script);
    let output =
        Command::new("python3").arg(script).arg(project).env("CARGO_TARGET_DIR", target_folder()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn readme_program_trains_in_a_new_project() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let [
        program,
        build_script,
        data,
        choice,
        optimizers,
        samples,
        folds,
        inference,
        pretrained,
        adapters,
        hook,
        logger,
        processes,
    ] = blocks("rust").try_into().unwrap();
    let [dependencies] = blocks("toml").try_into().unwrap();
    // cargo builds an unchanged package once
    let packages = target_folder().join("package/unpacked");
    set_up("package.py", &packages);
    let path = |package: &str| packages.join(package).display().to_string();
    // with the features that the workspace has, and the README's profile, the other dependencies are those of the tests
    let with_features =
        format!("path = {:?}, features = [\"dashboard\", \"images\", \"mlflow\", \"parquet\"] ", path("runtime"));
    let dependencies = dependencies.replace("path = \"../tch-lightning/runtime\" ", &with_features);
    assert!(dependencies.contains(&with_features), "{dependencies}");
    let package =
        "[package]\nname = \"readme\"\nedition = \"2024\"\n\n[workspace]\n\n[lints.rust]\nwarnings = \"deny\"\n\n";
    let macros = format!("[patch.crates-io]\ntch-lightning-macros = {{ path = {:?} }}\n", path("macros"));
    write("Cargo.toml", &format!("{package}{dependencies}\n{macros}"));
    write("Cargo.lock", &fs::read_to_string(checkout().join("Cargo.lock")).unwrap());
    set_up("libtorch.py", folder.path());
    write("build.rs", &build_script);
    write("src/main.rs", &format!("{program}\n{data}"));
    let (without_main, _) = program.split_once("fn main() ").unwrap();
    write("src/bin/rows.rs", &format!("{without_main}\n{data}\n{logger}"));
    let (before, rest) = without_main.split_once("    fn configure_optimizers(").unwrap();
    let (_, after) = rest.split_once("    }\n\n").unwrap();
    let snippets = format!(
        "#[allow(dead_code)]\nmod choice {{\nuse serde::{{Deserialize, Serialize}};\nuse tch_lightning::Choice;\n{choice}}}\n\
         #[allow(dead_code)]\nmod samples {{\nuse tch_lightning::prelude::*;\n{samples}}}\n\
         {before}{optimizers}\n{hook}\n{after}\n{data}\n\
         fn folds(k: usize, of_fold: fn(usize, bool) -> Result<DataLoader<(Tensor, Tensor)>>) -> Result<()> {{\n\
         let mut trainer = DigitClassifier::trainer();\n{folds}Ok(())\n}}\n\
         fn inference(images: Tensor) -> Result<Tensor> {{\n{inference}Ok(digits)\n}}\n\
         #[allow(dead_code)]\nfn pretrained(model: &mut DigitClassifier) -> Result<()> {{\n{pretrained}Ok(())\n}}\n\
         fn _adapters() -> Result<(tch_lightning::lora::LoraLinear, nn::Linear)> {{\n{adapters}Ok((query, head))\n}}\n\
         #[allow(dead_code)]\n{processes}\n\
         use tch_lightning::{{Loaders, trainer::CkptPath}};\n\
         fn main() -> Result<()> {{\n\
         let config = TrainerConfig::default().max_epochs(1).limit_train_batches(0.25);\n\
         Trainer::new(config).fit(&mut DigitClassifier::new(Hparams {{ lr: 1e-3 }}), &mut DigitData)?;\n\
         folds(0, |_, _| images())?;\n\
         println!(\"{{:?}}\", inference(Tensor::zeros([3, 1, 8, 8], (Kind::Float, Device::Cpu)))?.size());\n\
         Ok(())\n}}\n"
    );
    write("src/bin/snippets.rs", &snippets);
    let run = |program: &str, arguments: &str| {
        cargo()
            .args(["run", "--quiet", "--bin", program, "--"])
            .args(arguments.split(' '))
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", target_folder())
            .output()
            .unwrap()
    };

    let fit = run("readme", "fit --max-epochs 4 --lr 3e-3");
    let log = String::from_utf8(fit.stderr).unwrap();
    assert!(fit.status.success(), "{log}");
    let last = log.lines().find(|line| line.starts_with("epoch 3/3")).unwrap_or_else(|| panic!("{log}"));
    let accuracy: f64 = last.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(last.contains("train_loss ") && accuracy > 0.5, "{last}");
    let checkpoints = folder.path().join("lightning_logs/version_0/checkpoints");
    let mut names = fs::read_dir(checkpoints).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.next().unwrap().starts_with("epoch=3-step="));

    let fit = run("rows", "fit --max-epochs 1 --log-every-n-steps 10");
    let (rows, log) = (String::from_utf8(fit.stdout).unwrap(), String::from_utf8(fit.stderr).unwrap());
    assert!(fit.status.success(), "{log}");
    let snippets = run("snippets", "");
    let log = String::from_utf8(snippets.stderr).unwrap();
    assert!(snippets.status.success(), "{log}");
    assert_eq!(String::from_utf8(snippets.stdout).unwrap(), "[3]\n");

    // 1,000 images in batches of 64 make 16 steps, and validation follows
    let steps: Vec<&str> = rows.lines().filter_map(|row| row.strip_prefix("step ")?.split(':').next()).collect();
    assert_eq!(steps, ["9", "15"], "{rows}");
}

#[test]
fn readme_make_targets_exist() {
    let makefile = fs::read_to_string(checkout().join("Makefile")).unwrap();
    let commands = blocks("sh").concat();
    let named = README.split('`').chain(commands.lines());
    let targets = named.filter_map(|text| text.split_once("make ")).filter(|(before, _)| {
        // alone or behind a variable, not in the middle of a sentence
        before.is_empty() || before.ends_with("cuda ") || before.ends_with("cpu ")
    });
    let targets: Vec<&str> = targets.filter_map(|(_, target)| target.split_whitespace().next()).collect();
    assert!(targets.len() >= 6, "{targets:?}");
    for target in targets {
        assert!(
            makefile.contains(&format!("\n{target}: ")) || makefile.contains(&format!("\n{target}:\n")),
            "{target}"
        );
    }
}
