//! The chapters of the book, whose code is compiled and run as tests of documentation.

use tempfile::TempDir;

/// Creates an empty folder, which is the current one from now on and is removed with the returned value. Each program of the book is a
/// process of its own.
///
/// # Panics
/// If the folder cannot be created.
pub fn in_new_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the files of a program");
    std::env::set_current_dir(&folder).expect("the folder is there");
    folder
}

/// Declares a module for each chapter, which only contains the chapter.
macro_rules! chapters {
    ($($chapter:ident: $file:literal)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("../../book/src/", $file))]
        mod $chapter {}
    )*};
}

chapters! {
    first_model: "first-model.md"
    hooks: "hooks.md"
    from_lightning: "from-lightning.md"
    from_tch: "from-tch.md"
    data: "data.md"
    logging: "logging.md"
    checkpoints: "checkpoints.md"
    fine_tuning: "fine-tuning.md"
    gpu: "gpu.md"
    several_processes: "several-processes.md"
    deployment: "deployment.md"
    error_codes: "error-codes.md"
}
