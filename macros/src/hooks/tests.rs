use super::added::with_added;
use super::*;
use crate::expand;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::cell::Cell;
use syn::{FnArg, ItemTrait, Pat, TraitItem, TraitItemFn};

thread_local! {
    /// How many parts of declarations were parsed.
    pub(super) static PARSED: Cell<usize> = const { Cell::new(0) };
}

fn tokens(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// The methods as syn reads them.
fn parsed_methods(source: &str) -> Vec<TraitItemFn> {
    let items = parsed::<ItemTrait>(source).items.into_iter();
    let method = |item| if let TraitItem::Fn(method) = item { Some(method) } else { None };
    items.filter_map(method).collect()
}

#[test]
fn constants_say_what_the_traits_say() {
    for declared in DECLARED {
        let methods = parsed_methods(declared.source);
        assert_eq!(methods.len(), declared.methods.len(), "{}", declared.name);
        for (method, declaration) in methods.iter().zip(declared.methods) {
            let hook = Hook { declared: declaration, is_of_callback: false };
            assert_eq!(method.sig.ident, hook.name());
            let inputs: Vec<(String, String)> = method
                .sig
                .inputs
                .iter()
                .filter_map(|input| if let FnArg::Typed(typed) = input { Some(typed) } else { None })
                .map(|typed| match typed.pat.as_ref() {
                    Pat::Ident(name) => (name.ident.to_string(), tokens(&typed.ty)),
                    other => panic!("{}", tokens(other)),
                })
                .collect();
            let parameters: Vec<(String, String)> = hook
                .parameters()
                .map(|parameter| (parameter.name.to_owned(), tokens(parsed::<Type>(parameter.declared))))
                .collect();
            assert_eq!(inputs, parameters, "{}", hook.name());
            let output =
                hook.output().map_or_else(String::new, |output| format!("-> {}", tokens(parsed::<Type>(output))));
            assert_eq!(tokens(&method.sig.output), output, "{}", hook.name());
            let value = hook.output().map(parsed::<Type>).as_ref().and_then(result_value).map(tokens);
            assert_eq!(hook.value().map(parsed::<Type>).map(tokens), value, "{}", hook.name());
            let lines: Vec<&str> = hook.documentation().collect();
            assert!(!lines.is_empty(), "{}", hook.name());
            assert_eq!(method.attrs.len(), declaration.facts.len(), "{}", hook.name());
        }
    }
}

/// Macros run unoptimized in users' builds, where parsing takes longest.
#[test]
fn ordinary_method_parses_no_declaration() {
    let parsed_with = |helpers: usize| {
        let hooks = include_str!("../../benches/every_hook.rs").trim_end().strip_suffix('}').unwrap();
        let helpers = "fn helper(&self, input: &Tensor) -> Tensor { input.relu() }\n".repeat(helpers);
        let block: TokenStream = format!("{hooks}{helpers}}}").parse().unwrap();
        PARSED.set(0);
        let written = expand::attribute(Role::Module, TokenStream::new(), block).to_string();
        assert!(!written.contains("compile_error"), "{written}");
        PARSED.get()
    };
    assert_eq!(parsed_with(100), parsed_with(0));
    let hooks = Role::Module.traits().flat_map(HookTrait::hooks).count();
    let parameters = Role::Module.traits().flat_map(HookTrait::methods).flat_map(Hook::parameters).count();
    assert!(parsed_with(0) <= hooks + parameters, "{}", parsed_with(0));
}

#[test]
fn callbacks_receive_the_module_and_return_nothing() {
    let callback = HookTrait::named("Callback").unwrap();
    let hook = callback.methods().find(|hook| hook.name() == "on_train_batch_start").unwrap();
    let parameters: Vec<String> =
        hook.parameters().map(|parameter| format!("{}: {}", parameter.name, parameter.written())).collect();
    assert_eq!(parameters, ["ctx: &mut Context", "module: &mut M", "batch: &Self::Batch", "batch_idx: usize"]);
    assert_eq!(hook.output(), Some("Result<()>"));
    assert_eq!(hook.trait_name(), "Callback");
    let phases: Vec<_> = callback.hooks().map(|hook| hook.parameters().next().unwrap().phase()).collect();
    assert_eq!([phases[0], hook.parameters().next().unwrap().phase()], [Some("Outside"), Some("Step")]);
}

/// The code of these declarations for the runtime, without blanks.
fn declared_as(names: &[&str]) -> String {
    let code = |name: &&str| crate::declare::declare(name.parse().unwrap()).to_string();
    names.iter().map(code).collect::<String>().replace(char::is_whitespace, "")
}

/// The code that is generated for a block, without blanks.
fn generated(role: Role, arguments: TokenStream, method: TokenStream) -> String {
    let block = quote! {
        impl Type {
            fn parameters(&mut self) -> &mut VarStore { &mut self.vs }
            #method
        }
    };
    expand::attribute(role, arguments, block).to_string().replace(char::is_whitespace, "")
}

#[test]
fn hook_that_is_declared_in_one_place_is_everywhere() {
    let found = |declared: &[&str], parts: &[&str]| {
        let before = declared_as(declared);
        let code = with_added(|| declared_as(declared));
        for part in parts {
            let part = part.replace(char::is_whitespace, "");
            assert!(code.contains(&part), "`{part}` is not in `{declared:?}`");
            assert!(!before.contains(&part), "`{part}` needs no declaration");
        }
    };
    let own = "fn on_full_moon(&mut self, ctx: &mut Context<Step>, batch: &Self::Batch, brightness: f64) -> Result<()>";
    // the trait, its table, and the call through it
    found(
        &["ModelHooks"],
        &[
            "Called when the moon is full.",
            own,
            "pub on_full_moon: Option<fn(&mut M, &mut Context<Step>, &M::Batch, f64) -> Result<()> >",
            "(self.on_full_moon.is_some(), Hook::OnFullMoon)",
            "pub(crate) fn on_full_moon(module: &mut M, ctx: &mut RunContext, batch: &M::Batch, brightness: f64)",
        ],
    );
    found(&["Hook"], &["OnFullMoon,", "Self::OnFullMoon => \"on_full_moon\"", "Self::OnFullMoon => \"ModelHooks\""]);
    // by step, and not by epoch: that list is of the hooks that log by step
    let hooks = with_added(|| declared_as(&["Hook"]));
    let by_step = hooks.split_once("fnlogs_by_step").unwrap().1.split_once('}').unwrap().0;
    assert!(by_step.contains("Self::OnFullMoon") && by_step.contains("Self::TrainingStep"), "{by_step}");
    assert!(!by_step.contains("Self::ValidationStep"), "{by_step}");
    found(
        &["Callback"],
        &[
            "fn on_full_moon(&mut self, ctx: &mut Context<Step>, module: &mut M, batch: &M::Batch, brightness: f64)",
            "callback.on_full_moon(ctx.at(), module, batch, brightness)",
        ],
    );
    found(&["Run"], &["ModelHooksTable::on_full_moon(self.module, self.ctx, batch, brightness)", "on_full_moon_of"]);
    found(&["LambdaCallback"], &["pub fn on_full_moon<R: LambdaReturn>"]);
    let row =
        "| `on_full_moon(ctx: &mut Context, batch: &Self::Batch, brightness: f64)` | Called when the moon is full.";
    found(&["ModuleTable"], &[row]);
    found(&["CallbackTable"], &["`on_full_moon(ctx: &mut Context, module: &mut M, batch:"]);

    // the users' side: the hook and its parameters, a misspelled name, another role, manual optimization
    let none = TokenStream::new;
    let module = |method: TokenStream| with_added(|| generated(Role::Module, none(), method));
    let written = module(quote!(
        fn on_full_moon(&mut self, brightness: f64) {}
    ));
    assert!(
        written.contains("on_full_moon:::core::option::Option::Some") && !written.contains("compile_error"),
        "{written}"
    );
    let sentence = |code: &str, words: &str| {
        assert!(code.contains(&words.replace(' ', "")), "{words}: {code}");
    };
    sentence(
        &module(quote!(
            fn on_ful_mon(&mut self) {}
        )),
        "rename it to `on_full_moon`",
    );
    sentence(
        &module(quote!(
            fn on_full_moon(&mut self, brightnes: f64) {}
        )),
        "did you mean `brightness`?",
    );
    let data = with_added(|| {
        generated(
            Role::DataModule,
            none(),
            quote!(
                fn on_full_moon(&mut self) {}
            ),
        )
    });
    sentence(&data, "is a hook of `#[lightning_module]`");
    let manual = quote!(automatic_optimization = false);
    let manual = with_added(|| {
        generated(
            Role::Module,
            manual,
            quote!(
                fn on_full_moon(&mut self) {}
            ),
        )
    });
    sentence(&manual, "look at the moon in `training_step`");
}

#[test]
fn hook_that_may_log_for_the_step_must_state_its_default() {
    let states = |context: &'static str, facts: &'static [Fact]| {
        std::panic::catch_unwind(|| logs(&[("ctx", context)], facts)).ok()
    };
    assert_eq!(states("&mut Context<Step>", &[]), None);
    assert_eq!(states("&mut Context<Step>", &[Fact::Logs(Logs::ByStep)]), Some(Some(Logs::ByStep)));
    assert_eq!(states("&mut Context<Step>", &[Fact::Logs(Logs::ByEpoch)]), Some(Some(Logs::ByEpoch)));
    assert_eq!(states("&mut Context<Epoch>", &[]), Some(Some(Logs::ByEpoch)));
    assert_eq!(states("&mut Context<Epoch>", &[Fact::Logs(Logs::ByStep)]), None);
    assert_eq!(states("&mut Context<Outside>", &[]), Some(None));
    assert_eq!(states("&mut Context<Outside>", &[Fact::Logs(Logs::ByEpoch)]), None);
}

/// The defaults of Lightning's `_FxValidator`.
#[test]
fn hooks_log_by_step_where_lightnings_do() {
    let hooks = HookTrait::all().flat_map(HookTrait::hooks);
    let mut by_step: Vec<&str> = hooks
        .filter(|hook| hook.trait_name() != "Callback" && hook.logs() == Some(Logs::ByStep))
        .map(Hook::name)
        .collect();
    by_step.sort_unstable();
    let expected = [
        "backward",
        "configure_gradient_clipping",
        "on_after_backward",
        "on_before_backward",
        "on_before_optimizer_step",
        "on_before_zero_grad",
        "on_train_batch_end",
        "on_train_batch_start",
        "optimizer_step",
        "optimizer_zero_grad",
        "training_step",
    ];
    assert_eq!(by_step, expected);
    let lr_scheduler_step = HookTrait::all().flat_map(HookTrait::hooks).find(|hook| hook.name() == "lr_scheduler_step");
    assert_eq!(lr_scheduler_step.unwrap().logs(), None);
}
