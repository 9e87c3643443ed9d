//! `declarations!`, which makes constants of the declared traits when this crate is compiled.
//!
//! Facts about a hook are attributes of its declaration:
//!
//! | attribute | fact |
//! |---|---|
//! | `#[callback]` | the hook also exists for callbacks |
//! | `#[logs(step)]`, `#[logs(epoch)]` | a value logged in it is by default that of the step, or of the epoch; required where `ctx: &mut Context<Step>` |
//! | `#[step(output = Prediction, loader = predict_dataloader)]` | it is a step: the associated type of its value, and the hook that returns its loaders; `, loss` where the value has the loss |
//! | `#[capability(trait = Tests, method = test, form = "fn …", code = TL0405)]` | the trainer's `test` requires it: the trait that says so of a module, the form that the error suggests, and the error's code |
//! | `#[automatic("…")]` | only automatic optimization calls it: what to do instead in manual optimization |
//! | `#[older_name_of(configure_model)]` | the older name of another hook |

/// Makes `DECLARED`, a [`TraitDeclaration`], of a trait. Types and bodies are kept as text.
macro_rules! declarations {
    (@methods $trait:ident [$($methods:tt)*]) => { &[$($methods)*] };

    // constants are only used by the runtime
    (@methods $trait:ident [$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        const $constant:ident: $of:ty = $value:expr;
        $($others:tt)*
    ) => {
        declarations!(@methods $trait [$($methods)*] $($others)*)
    };

    (@methods $trait:ident [$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        fn $name:ident(&$($receiver:ident)+ $(, $parameter:ident: $ty:ty)* $(,)?) $(-> $output:ty)?;
        $($others:tt)*
    ) => {
        declarations!(@methods $trait [$($methods)*
            declarations!(
                @method None, $trait, $name, $($receiver)+, [$(#[$($attribute)*])*], [$($parameter: $ty),*], [$($output)?]
            ),
        ] $($others)*)
    };

    (@methods $trait:ident [$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        fn $name:ident(&$($receiver:ident)+ $(, $parameter:ident: $ty:ty)* $(,)?) $(-> $output:ty)? $default:block
        $($others:tt)*
    ) => {
        declarations!(@methods $trait [$($methods)*
            declarations!(
                @method Some(stringify!($default)),
                $trait, $name, $($receiver)+, [$(#[$($attribute)*])*], [$($parameter: $ty),*], [$($output)?]
            ),
        ] $($others)*)
    };

    (@method $default:expr, $trait:ident, $name:ident, $($receiver:ident)+,
        [$(#[$($attribute:tt)*])*], [$($parameter:ident: $ty:ty),*], [$($output:ty)?]
    ) => {{
        const FACTS: &[crate::hooks::Fact] = &[$(declarations!(@fact $($attribute)*)),*];
        const PARAMETERS: &[(&str, &str)] = &[$((stringify!($parameter), stringify!($ty))),*];
        crate::hooks::Declaration {
            trait_name: stringify!($trait),
            name: stringify!($name),
            facts: FACTS,
            logs: crate::hooks::logs(PARAMETERS, FACTS),
            receiver: concat!("&", $(stringify!($receiver), " "),+),
            parameters: PARAMETERS,
            output: concat!($(stringify!($output))?),
            default: $default,
        }
    }};

    // an attribute that is not among these does not compile
    (@fact doc = $line:literal) => { crate::hooks::Fact::Documentation($line) };
    (@fact callback) => { crate::hooks::Fact::Callback };
    (@fact logs(step)) => { crate::hooks::Fact::Logs(crate::hooks::Logs::ByStep) };
    (@fact logs(epoch)) => { crate::hooks::Fact::Logs(crate::hooks::Logs::ByEpoch) };
    (@fact step(output = $output:ident, loader = $loader:ident $(, $loss:ident)?)) => {
        crate::hooks::Fact::Step(crate::hooks::Step {
            output: stringify!($output),
            loader: stringify!($loader),
            has_loss: false $(|| declarations!(@loss $loss))?,
        })
    };
    (@fact capability(trait = $marker:ident, method = $method:ident, form = $form:literal, code = $code:ident)) => {
        crate::hooks::Fact::Capability(crate::hooks::Capability {
            marker: stringify!($marker),
            method: stringify!($method),
            form: $form,
            code: stringify!($code),
        })
    };
    (@fact automatic($instead:literal)) => { crate::hooks::Fact::Automatic($instead) };
    (@fact older_name_of($hook:ident)) => { crate::hooks::Fact::OlderNameOf(stringify!($hook)) };

    (@loss loss) => { true };

    (@trait $(#[$($attribute:tt)*])*
        pub trait $name:ident $(<$module:ident: $bound:ident>)?: $supertrait:ident $(+ $supertraits:tt)* { $($items:tt)* }
    ) => {
        crate::hooks::TraitDeclaration {
            name: stringify!($name),
            source: stringify!(
                $(#[$($attribute)*])*
                pub trait $name $(<$module: $bound>)?: $supertrait $(+ $supertraits)* { $($items)* }
            ),
            methods: declarations!(@methods $name [] $($items)*),
        }
    };

    ($($declared:tt)*) => {
        pub(super) const DECLARED: crate::hooks::TraitDeclaration = declarations!(@trait $($declared)*);
    };
}

/// A trait as its file declares it.
pub(super) struct TraitDeclaration {
    pub(super) name: &'static str,
    /// The complete trait.
    pub(super) source: &'static str,
    pub(super) methods: &'static [Declaration],
}

/// A method as its file declares it.
#[cfg_attr(test, derive(Clone, Copy))]
pub(super) struct Declaration {
    pub(super) trait_name: &'static str,
    pub(super) name: &'static str,
    /// The attributes, in their order.
    pub(super) facts: &'static [Fact],
    /// How it logs; `None` where nothing can be logged.
    pub(super) logs: Option<Logs>,
    /// `&mut self`, or `&self`.
    pub(super) receiver: &'static str,
    /// Names and types of the parameters after `self`.
    pub(super) parameters: &'static [(&'static str, &'static str)],
    /// The type that it returns; empty for none.
    pub(super) output: &'static str,
    pub(super) default: Option<&'static str>,
}

/// An attribute of a declaration.
#[derive(Clone, Copy)]
pub(super) enum Fact {
    /// A line of documentation.
    Documentation(&'static str),
    Callback,
    Logs(Logs),
    Step(Step),
    Capability(Capability),
    Automatic(&'static str),
    OlderNameOf(&'static str),
}

impl Fact {
    /// The names of the attributes, which are removed for the runtime.
    pub(super) const ATTRIBUTES: [&str; 6] = ["callback", "logs", "step", "capability", "automatic", "older_name_of"];
}

/// To what a logged value belongs by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logs {
    ByStep,
    ByEpoch,
}

/// The facts of a step.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// The associated type of its value.
    pub(crate) output: &'static str,
    /// The hook that returns its loader or loaders.
    pub(crate) loader: &'static str,
    /// Whether its value has the loss.
    pub(crate) has_loss: bool,
}

/// The capability of a module with the hook.
#[derive(Clone, Copy)]
pub(crate) struct Capability {
    /// The trait of modules with the hook.
    pub(crate) marker: &'static str,
    /// The method of the trainer that requires it.
    pub(crate) method: &'static str,
    /// The form of the hook that the error suggests.
    pub(crate) form: &'static str,
    /// The code of the error.
    pub(crate) code: &'static str,
}

/// Returns how a hook with these parameters logs. A hook that may log for the step must declare its default.
pub(super) const fn logs(parameters: &[(&str, &str)], facts: &[Fact]) -> Option<Logs> {
    let mut stated = None;
    let mut number = 0;
    while number < facts.len() {
        if let Fact::Logs(logs) = facts[number] {
            stated = Some(logs);
        }
        number += 1;
    }
    let context = if parameters.is_empty() { "" } else { parameters[0].1 };
    let is_of_step = is(context, "&mut Context<Step>") || is(context, TRAINING_CONTEXT);
    match (stated, is_of_step, is(context, "&mut Context<Epoch>")) {
        (None, true, _) => panic!("a hook with `ctx: &mut Context<Step>` needs `#[logs(step)]` or `#[logs(epoch)]`"),
        (Some(_), false, _) => panic!("only a hook with `ctx: &mut Context<Step>` has a choice of how it logs"),
        (stated, true, _) => stated,
        (None, false, true) => Some(Logs::ByEpoch),
        (None, false, false) => None,
    }
}

/// The context of a step that may have the module's callbacks, for manual optimization.
pub(super) const TRAINING_CONTEXT: &str = "&mut TrainingContext<'_, Self>";

/// `==` in a constant.
const fn is(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut number = 0;
    while number < one.len() && number < other.len() && one[number] == other[number] {
        number += 1;
    }
    one.len() == other.len() && number == one.len()
}
