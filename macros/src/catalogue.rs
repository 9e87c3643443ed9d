//! The catalogue of mistakes: each has a code that stays, a title, and the sentences that users see.
//!
//! `tch_lightning::errors` has a page for each code, `tests/ui/fail` a program that makes the mistake; the tests below hold
//! the three together. A code without a sentence is said by the compiler, in the words of a trait of the runtime crate
//! (`#[diagnostic::on_unimplemented]`), because only the compiler knows the types.

use std::fmt::{self, Display};

/// A mistake with its sentence filled in.
pub(crate) struct Mistake {
    code: &'static str,
    sentence: String,
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.sentence, self.code)
    }
}

/// Makes a function of each sentence, whose parameters the sentence names, and a list of all codes with their titles.
macro_rules! catalogue {
    ($($code:ident $title:literal: $($mistake:ident($($value:ident),*) $sentence:literal)*;)*) => {
        $($(
            pub(crate) fn $mistake($($value: impl Display),*) -> Mistake {
                Mistake { code: stringify!($code), sentence: format!($sentence) }
            }
        )*)*

        /// Every code with its title.
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($code), $title)),*];
    };
}

catalogue! {
    // names

    TL0001 "A hook's name is misspelled":
        misspelled_hook(name, attribute, hook)
        "`{name}` is no hook of `#[{attribute}]`: write `{hook}`, or `#[not_a_hook]` above it";

    TL0002 "A method that starts with `on_` is no hook":
        no_hook(name, attribute)
        "`{name}` is no hook of `#[{attribute}]`: `#[not_a_hook]` above it keeps it as a method of your own";

    TL0003 "A hook stands in the block of something else":
        hook_of_another(name, owner, attribute)
        "`{name}` is a hook of `{owner}`, not of `#[{attribute}]`: `#[not_a_hook]` above it keeps it as a method of your own";

    TL0004 "A hook of an older Lightning":
        older_hook(name, instead)
        "`{name}` is a hook of an older Lightning: {instead}, or `#[not_a_hook]` above it";

    TL0005 "A hook of another framework":
        foreign_hook(name, framework, instead)
        "`{name}` is a hook of {framework}: {instead}, or `#[not_a_hook]` above it";

    // parameters and forms

    TL0101 "A hook asks for a parameter that it does not have":
        misspelled_parameter(hook, asked, meant, list)
        "`{hook}` has no parameter `{asked}`: did you mean `{meant}`? It can ask for {list}"
        unknown_parameter(hook, asked, list)
        "`{hook}` has no parameter `{asked}`: it can ask for {list}";

    TL0102 "A hook asks for a parameter twice":
        parameter_twice(hook, name)
        "`{hook}` asks for `{name}` twice: once is enough";

    TL0103 "A parameter of a hook has no name":
        parameter_without_name(hook, list)
        "`{hook}` is given its parameters by name: it can ask for {list}";

    TL0104 "A parameter of a hook has another type":
        parameter_type(hook, name, right, wrong)
        "`{name}` of `{hook}` is `{right}`, not `{wrong}`";

    TL0105 "A parameter of a hook is there only sometimes":
        conditional_parameter()
        "a hook asks for a parameter always or never: `#[cfg]` can stand on the whole hook";

    TL0106 "A hook is `async`":
        async_hook(hook)
        "the hook `{hook}` can't be `async`: the loops call it and wait for nothing";

    TL0107 "A hook is `unsafe`":
        unsafe_hook(hook)
        "the hook `{hook}` can't be `unsafe`: the loops don't know its conditions"
        hook_of_some_processors(hook)
        "the hook `{hook}` can't have `#[target_feature]`: the loops call it on every processor";

    TL0108 "A hook is generic":
        generic_hook(hook)
        "the hook `{hook}` can't be generic: type parameters stand on the `impl` block"
        generic_parameter(hook, name)
        "the hook `{hook}` can't be generic: write the type of `{name}`";

    TL0109 "A hook does not take `self`":
        hook_without_self(hook)
        "the hook `{hook}` needs `&mut self` or `&self` as its first parameter";

    TL0110 "A hook takes `self` away":
        hook_takes_self_away(hook)
        "the hook `{hook}` takes `&mut self` or `&self`: the trainer keeps what it calls";

    // what a hook returns

    TL0201 "A hook returns another type":
        returned_type(hook, right, wrong)
        "`{hook}` returns `{right}`, not `{wrong}`";

    TL0202 "A training step returns no loss":;

    TL0203 "A hook hides what it returns":
        hidden_output(hook)
        "the hook `{hook}` can't hide what it returns: write the type";

    TL0204 "A step returns a borrow":
        borrowed_output(hook)
        "`{hook}` can't return a borrow: what it returns outlives the batch";

    TL0205 "A method fails with something that is no error":;

    // the block and its attribute

    TL0301 "The attribute stands on a type":
        on_a_type(attribute, name)
        "`#[{attribute}]` stands on the block of the methods, `impl {name} {{ … }}`, not on the type";

    TL0302 "The attribute stands on something that is no `impl` block":
        on_no_block(attribute)
        "`#[{attribute}]` stands on an `impl` block";

    TL0303 "The attribute stands on the implementation of a trait":
        on_a_trait_impl(attribute)
        "`#[{attribute}]` stands on an `impl` block of the type itself, not of a trait"
        on_its_own_trait_impl(attribute, declared, name)
        "`#[{attribute}]` writes the implementation of `{declared}` itself: write `impl {name} {{ … }}`";

    TL0304 "The attribute has an argument that it does not know":
        unknown_argument(attribute, argument, known)
        "`#[{attribute}]` has no argument `{argument}`: it takes {known}, or none"
        argument_value(argument)
        "`{argument}` is `true` or `false`: write `{argument} = false`"
        crate_argument()
        "`crate` is the path of tch-lightning in a string: write `crate = \"other_crate::tch_lightning\"`";

    TL0305 "A block's type borrows":
        borrowing_block(attribute)
        "the type of a `#[{attribute}]` owns what it holds: it can't have lifetimes";

    // what belongs together

    TL0401 "A module has no `parameters`":
        no_parameters()
        "a module needs `fn parameters(&mut self) -> &mut nn::VarStore`, which returns the store of its parameters";

    TL0402 "`fit` without a `training_step`":;

    TL0403 "`fit` without `configure_optimizers`":;

    TL0404 "`validate` without a `validation_step`":;

    TL0405 "`test` without a `test_step`":;

    TL0406 "`predict` without a `predict_step`":;

    TL0407 "A loader without its step":
        loader_without_step(loader, step)
        "`{loader}` loads batches that no step takes: write `{step}` too, or leave the loader out";

    TL0408 "`configure_model` together with `configure_sharded_model`":
        written_under_both_names(older, newer)
        "`{older}` is the older name of `{newer}`, which is written too: keep one of them";

    TL0409 "A hook that manual optimization never calls":
        hook_of_automatic_optimization(hook, instead)
        "`{hook}` is a hook of automatic optimization, and this block says `automatic_optimization = false`: {instead}";

    TL0410 "Manual optimization in a module that is optimized automatically":;

    // batches

    TL0501 "The hooks of a block take batches of different types":;

    TL0502 "A batch borrows":
        borrowing_batch()
        "a batch owns what it holds: its type can't borrow";

    TL0503 "A type is no batch":;

    TL0504 "A union is no batch":
        union_batch()
        "a union can't be a batch: nobody knows which of its fields holds";

    TL0505 "An enum without variants is no batch":
        empty_batch()
        "an enum without variants has no value, so it can't be a batch";

    // programs and runs

    TL0601 "The program cannot construct the module or the data module":;

    TL0602 "`new` makes something else":;

    TL0603 "Hyperparameters without their derives":;

    TL0604 "The data does not fit the module":;

    TL0605 "A type is no module":;

    TL0606 "A type is no callback for the module":;

    // logging

    TL0701 "A value is logged where nothing can be":;

    TL0702 "A value is logged for a step where there is none":;
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn workspace(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
    }

    /// The texts of the files with this ending in a folder.
    fn texts(folder: &str, ending: &str) -> Vec<(String, String)> {
        let files = fs::read_dir(workspace(folder)).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == ending));
        let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
    }

    #[test]
    fn codes_are_in_order() {
        assert!(ALL.is_sorted_by(|(one, _), (other, _)| one < other));
        assert!(ALL.iter().all(|(code, _)| code.len() == 6));
    }

    #[test]
    fn every_code_has_its_page() {
        let pages = texts("runtime/src/errors", "md");
        let module = fs::read_to_string(workspace("runtime/src/errors/mod.rs")).unwrap();
        for (code, title) in ALL {
            let (_, page) = pages.iter().find(|(name, _)| name == code).unwrap_or_else(|| panic!("{code} has no page"));
            assert_eq!(page.lines().next(), Some(*title), "{code}");
            assert!(page.contains(&format!(" [{code}]\n")), "the page of {code} does not show its sentence");
            assert!(module.split_whitespace().any(|word| word == *code), "{code} is not in errors/mod.rs");
        }
        for (name, _) in &pages {
            assert!(ALL.iter().any(|(code, _)| code == name), "{name}.md is the page of no mistake");
        }
    }

    #[test]
    fn every_code_is_said_to_a_program() {
        let said = texts("tests/ui/fail", "stderr");
        for (code, _) in ALL {
            let code = format!("[{code}]");
            assert!(said.iter().any(|(_, text)| text.contains(&code)), "no program in tests/ui/fail makes {code}");
        }
    }
}
