//! The programs in `ui/pass/`: all forms that a block may have compile without a warning, clippy's strictest included, and
//! their hooks are found. Each file is a module of this test.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(missing_docs, dead_code)]
// the forms are written out on purpose; what the macros write is held to all of it
#![allow(
    clippy::needless_arbitrary_self_type,
    clippy::needless_lifetimes,
    clippy::unnecessary_wraps,
    clippy::unused_async
)]

#[path = "ui/pass/a_helper_steps_manually.rs"]
mod a_helper_steps_manually;
#[path = "ui/pass/a_module_in_a_function.rs"]
mod a_module_in_a_function;
#[path = "ui/pass/a_module_in_a_macro.rs"]
mod a_module_in_a_macro;
#[path = "ui/pass/any_order_of_parameters.rs"]
mod any_order_of_parameters;
#[path = "ui/pass/any_subset_of_parameters.rs"]
mod any_subset_of_parameters;
#[path = "ui/pass/attributes_on_hooks.rs"]
mod attributes_on_hooks;
#[path = "ui/pass/batches_under_two_names.rs"]
mod batches_under_two_names;
#[path = "ui/pass/callbacks.rs"]
mod callbacks;
#[path = "ui/pass/conditional_hooks.rs"]
mod conditional_hooks;
#[path = "ui/pass/constructors.rs"]
mod constructors;
#[path = "ui/pass/contexts.rs"]
mod contexts;
#[path = "ui/pass/data_modules.rs"]
mod data_modules;
#[path = "ui/pass/derived_batches.rs"]
mod derived_batches;
#[path = "ui/pass/flows.rs"]
mod flows;
#[path = "ui/pass/forms_of_constructors.rs"]
#[allow(clippy::cast_precision_loss, clippy::unnecessary_wraps)]
mod forms_of_constructors;
#[path = "ui/pass/forms_of_pytorch.rs"]
#[allow(clippy::default_trait_access, clippy::needless_borrow, clippy::needless_pass_by_value)]
mod forms_of_pytorch;
#[path = "ui/pass/functions_that_hooks_call.rs"]
mod functions_that_hooks_call;
#[path = "ui/pass/generic_modules.rs"]
mod generic_modules;
#[path = "ui/pass/hooks_fail_with_any_error.rs"]
mod hooks_fail_with_any_error;
#[path = "ui/pass/hygiene.rs"]
mod hygiene;
#[path = "ui/pass/lifetimes.rs"]
mod lifetimes;
#[path = "ui/pass/loaders.rs"]
mod loaders;
#[path = "ui/pass/manual_optimization.rs"]
mod manual_optimization;
#[path = "ui/pass/methods_of_ones_own.rs"]
mod methods_of_ones_own;
#[path = "ui/pass/models_configured_late.rs"]
mod models_configured_late;
#[path = "ui/pass/names_of_ones_own.rs"]
mod names_of_ones_own;
#[path = "ui/pass/optimizers.rs"]
mod optimizers;
#[path = "ui/pass/patterns_behind_a_name.rs"]
mod patterns_behind_a_name;
#[path = "ui/pass/program_without_data.rs"]
mod program_without_data;
#[path = "ui/pass/self_by_reference.rs"]
mod self_by_reference;
#[path = "ui/pass/several_blocks_of_one_type.rs"]
mod several_blocks_of_one_type;
#[path = "ui/pass/several_modules_in_one_file.rs"]
mod several_modules_in_one_file;
#[path = "ui/pass/steps_of_ones_own.rs"]
mod steps_of_ones_own;
#[path = "ui/pass/steps_return_anything.rs"]
mod steps_return_anything;
#[path = "ui/pass/stores_are_bound_again.rs"]
mod stores_are_bound_again;
#[path = "ui/pass/tensors_are_bound_again.rs"]
mod tensors_are_bound_again;
#[path = "ui/pass/tensors_with_the_prelude.rs"]
mod tensors_with_the_prelude;
#[path = "ui/pass/training_steps_return.rs"]
mod training_steps_return;
#[path = "ui/pass/traits_by_hand.rs"]
mod traits_by_hand;
#[path = "ui/pass/types_of_one_name_in_several_modules.rs"]
mod types_of_one_name_in_several_modules;
#[path = "ui/pass/unused_parameters.rs"]
mod unused_parameters;
#[path = "ui/pass/verbs.rs"]
mod verbs;
#[path = "ui/pass/without_the_prelude.rs"]
mod without_the_prelude;

/// A crate of its own, since a crate's name stands in its manifest.
#[test]
fn program_may_call_the_crate_by_another_name() {
    assert_eq!(renamed::Model::hooks().len(), 3);
}

/// And may reach it through another crate.
#[test]
fn program_may_name_the_path_of_the_crate() {
    assert_eq!(reexported::Model::hooks().len(), 3);
}

#[test]
fn programs_are_all_listed() {
    let source = include_str!("forms.rs");
    let programs: Vec<String> = std::fs::read_dir("ui/pass")
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let missing: Vec<&String> = programs.iter().filter(|name| !source.contains(&format!("\nmod {name};"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
