//! The file in which a block stands.
//!
//! An attribute sees its block alone. What else the file has is only read to explain a mistake where it was made: hooks in another
//! block of the type, hyperparameters of a program without their derives or flags, and fields that the type does not have. Nothing that is generated for a block without mistakes
//! depends on it, and where the file is not known, as in rust-analyzer, the compiler's own errors remain.
//!
//! The compiler could tell whether `Self::on_fit_start` is a method of the type. But where a trait in scope has a method of the name too, as
//! `Logger` has `state_dict`, that would be an error without a mistake.

use crate::crate_files;
use crate::hooks::{self, HookTrait, Role};
use crate::model::Block;
use crate::other_blocks::{self, OtherBlocks};
use crate::types::{last_name, readable_tokens};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::fs;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, File, Ident, ImplItem, Item, ItemImpl, ItemStruct, ItemType, Type,
};

pub(crate) struct SourceFile {
    text: String,
}

impl SourceFile {
    pub(crate) fn of(span: Span) -> Option<Self> {
        // outside of a compiler, as in tests, a span has no file
        if !proc_macro::is_available() {
            return None;
        }
        let text = fs::read_to_string(span.unwrap().local_file()?).ok()?;
        Some(Self { text })
    }

    /// Returns whether `nn` is that of tch, which the prelude has too.
    pub(crate) fn has_nn_of_tch(&self) -> bool {
        !self.text.contains("mod nn") && !self.imports(|import| has_word(import, "nn") && !import.contains("tch"))
    }

    /// Returns whether the file may mean by this name another type than that of tch-lightning.
    pub(crate) fn has_another_type(&self, name: &str) -> bool {
        defines_type(&self.text, name)
            || self.imports(|import| has_word(import, name) && !import.contains("tch_lightning"))
    }

    /// Returns whether the file imports this name from tch-lightning.
    pub(crate) fn imports_ours(&self, name: &str) -> bool {
        self.imports(|import| {
            import.contains("tch_lightning") && (has_word(import, name) || import.contains("metrics::*"))
        })
    }

    fn imports(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        self.text.split("use ").skip(1).filter_map(|rest| rest.split(';').next()).any(is_meant)
    }

    /// Returns whether the file has this name of a module, a type or a variable, or one of its dependencies.
    pub(crate) fn defines(&self, name: &str) -> bool {
        let is_path = |rest: &str| rest.starts_with('.') || rest.starts_with("::");
        let mut words = words_of(&self.text, name);
        let is_defined = words.any(|place| {
            let (before, after) = (&self.text[..place], &self.text[place + name.len()..]);
            !is_path(after) || before.trim_end().ends_with("use") || before.ends_with("::")
        });
        is_defined || crate_files::depends_on(name)
    }

    /// Returns whether the file calls the program of this module, or of a module with this data module.
    pub(crate) fn calls_program_of(&self, ty: &Type) -> bool {
        let name = last_name(ty);
        let is_module = ["main", "program"].iter().any(|function| self.has_call(&format!("{name}::{function}")));
        is_module || self.is_data_of_program(ty)
    }

    /// Returns whether the file calls a program with this data module.
    pub(crate) fn is_data_of_program(&self, ty: &Type) -> bool {
        let name = last_name(ty);
        ["main", "program"].iter().any(|function| self.has_call(&format!("{function}::<{name}>")))
    }

    /// Returns whether the file calls the program of the module of this name that has no data module.
    pub(crate) fn calls_main_of(&self, name: &str) -> bool {
        self.has_one(name) && self.has_call(&format!("{name}::main()"))
    }

    /// Returns whether the file has one struct of this name.
    fn has_one(&self, name: &str) -> bool {
        words_of(&self.text, name).filter(|place| self.text[..*place].ends_with("struct ")).count() == 1
    }

    /// Returns the only data module of the file.
    pub(crate) fn data_module(&self) -> Option<String> {
        let attribute = format!("#[{}", Role::DataModule.attribute());
        let mut blocks = self.text.split(&attribute).skip(1);
        let (block, None) = (blocks.next()?, blocks.next()) else { return None };
        let ty = block.split_once(']')?.1.trim_start().strip_prefix("impl ")?;
        let name: String = ty.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        (!name.is_empty()).then_some(name)
    }

    /// Returns the batch of the first step of the file.
    pub(crate) fn batch_of_steps(&self) -> Option<Type> {
        let mut steps = self.text.split("_step(").skip(1).filter_map(|rest| rest.split(") ").next());
        let written = steps.find_map(|parameters| Some(parameters.split_once("batch: &")?.1))?;
        let ty = written.split(", batch_idx").next()?;
        syn::parse_str(ty.trim_end_matches(|end: char| end == ',' || end.is_whitespace())).ok()
    }

    fn has_call(&self, call: &str) -> bool {
        let is_call = |before: &str| {
            let is_in_comment = before.rsplit('\n').next().is_some_and(|line| line.contains("//"));
            !is_in_comment && !before.ends_with(|last: char| last.is_alphanumeric() || last == '_')
        };
        self.text.match_indices(call).any(|(place, _)| is_call(&self.text[..place]))
    }

    /// Returns whether the file certainly has the program of this module or data module, and no constructor for it that is written by hand.
    pub(crate) fn has_program_of(&self, ty: &Type) -> bool {
        let name = last_name(ty);
        self.has_one(&name) && self.calls_program_of(ty) && !self.text.contains("FromHparams")
    }

    /// Returns the derives of a struct of hyperparameters that are missing; `None` if the file does not tell.
    pub(crate) fn missing_derives(&self, ty: &Type) -> Option<Vec<&'static str>> {
        let Type::Path(path) = ty else { return None };
        let name = path.path.get_ident()?;
        if self.text.contains(&format!("for {name}")) {
            return None;
        }
        let found = self.only_struct(name)?;
        if found.attrs.iter().any(|attribute| attribute.path().is_ident("cfg_attr")) {
            return None;
        }
        let derives = derives(&found);
        let needed = [("Args", "clap::Args"), ("Serialize", "serde::Serialize"), ("Deserialize", "serde::Deserialize")];
        let missing = needed.into_iter().filter(|(derive, _)| !derives.iter().any(|derived| derived == derive));
        Some(missing.map(|(_, path)| path).collect())
    }

    /// Returns the struct of this name; `None` if the file has several or none.
    fn only_struct(&self, name: &Ident) -> Option<ItemStruct> {
        let mut structs = Structs { name: name.to_string(), found: Vec::new() };
        structs.visit_file_mut(&mut self.parsed()?);
        let [found] = structs.found.as_slice() else { return None };
        Some(found.clone())
    }

    /// Returns whether the file has the struct of this name, and it is certainly not derived as a batch, nor implemented as one here.
    pub(crate) fn has_underived_batch(&self, name: &Ident) -> bool {
        const HARMLESS: [&str; 8] = ["allow", "arg", "collate", "derive", "doc", "expect", "repr", "serde"];
        // parsing a file takes longer than an expansion
        let Some((before, _)) = self.text.split_once(&format!("struct {name}")) else { return false };
        let is_dataset = self.text.contains(&format!("Dataset for {name} "));
        if is_dataset || before.lines().rev().take(4).any(|line| line.contains("Batch")) {
            return false;
        }
        let Some(found) = self.only_struct(name).filter(|found| found.generics.params.is_empty()) else { return false };
        let is_harmless = |attribute: &Attribute| HARMLESS.iter().any(|harmless| attribute.path().is_ident(harmless));
        let is_derived = derives(&found).iter().any(|derived| derived == "Batch") || self.text.contains("Batch as ");
        found.attrs.iter().all(is_harmless) && !is_derived
    }

    /// Returns the only struct of this file that is derived as a batch and has the fields of a struct of samples.
    pub(crate) fn batch_of_samples(&self, samples: &DeriveInput) -> Option<Ident> {
        let names = |fields: &Fields| fields.iter().map(|field| field.ident.clone()).collect::<Vec<_>>();
        let Data::Struct(columns) = &samples.data else { return None };
        let is_meant = |item: Item| match item {
            Item::Struct(found) => {
                let is_batch = derives(&found).iter().any(|derived| derived == "Batch");
                (is_batch && names(&found.fields) == names(&columns.fields)).then_some(found.ident)
            }
            _ => None,
        };
        let mut found = self.parsed()?.items.into_iter().filter_map(is_meant);
        let (batch, None) = (found.next()?, found.next()) else { return None };
        Some(batch)
    }

    /// Returns the block of a struct of this file with the hooks of this role, if none of its blocks has the attribute.
    pub(crate) fn unannotated_block(&self, role: Role, name: &Ident) -> Option<ItemImpl> {
        self.only_struct(name)?;
        let mut blocks = Vec::new();
        for item in self.parsed()?.items {
            match item {
                Item::Impl(block) if block.trait_.is_none() && *name == last_name(&block.self_ty) => {
                    blocks.push(block);
                }
                _ => {}
            }
        }
        let is_unknown = |attribute: &Attribute| {
            attribute.path().get_ident().is_none_or(|name| *name == role.attribute() || name == "cfg_attr")
        };
        if blocks.iter().flat_map(|block| &block.attrs).any(is_unknown) {
            return None;
        }
        let has = |block: &ItemImpl, hook: &str| {
            block.items.iter().any(|item| matches!(item, ImplItem::Fn(method) if method.sig.ident == hook))
        };
        let is_of_role = |block: &ItemImpl| match role {
            Role::Module => has(block, "parameters") && hooks::steps().any(|(step, _)| has(block, step.name())),
            _ => role.traits().flat_map(HookTrait::hooks).any(|hook| has(block, hook.name())),
        };
        blocks.into_iter().find(is_of_role)
    }

    /// Returns whether the annotated block at this line is the first of the file that has this name, among the blocks of the first of these
    /// roles that has one.
    pub(crate) fn is_first_block(&self, roles: &[Role], name: &Ident, line: usize) -> bool {
        let lines: Vec<&str> = self.text.lines().collect();
        let has_name = |attribute: usize| {
            let blanks: String = lines[attribute].chars().take_while(|letter| letter.is_whitespace()).collect();
            let end = format!("{blanks}}}");
            let block = lines[attribute..].iter().take_while(|line| **line != end);
            block.into_iter().any(|line| has_word(line, &name.to_string()))
        };
        let first = |role: Role| {
            let attribute = format!("#[{}", role.attribute());
            let begins = |place: &usize| lines[*place].trim_start().starts_with(&attribute);
            (0..lines.len()).filter(begins).find(|place| has_name(*place))
        };
        roles.iter().find_map(|role| first(*role)).is_some_and(|place| place + 1 == line)
    }

    /// Returns the other blocks of the type, also those in other modules of the file; `None` if there is none. Blocks under conditions are not counted.
    pub(crate) fn other_blocks(&self, block: &Block, tokens: &TokenStream) -> Option<OtherBlocks> {
        let (role, ty) = (block.role, &block.item.head.self_ty);
        // parsing a file takes longer than an expansion
        let name = last_name(ty);
        let begins = |line: &&str| line.contains("impl") && line.contains(&name) && !line.contains(" for ");
        let has_trait = self.text.contains(&format!(" for {name} ")) && self.text.contains("trait ");
        if self.text.lines().filter(begins).count() < 2 && !has_trait {
            return None;
        }
        other_blocks::of_type(&mut self.parsed()?, role, ty, flat(tokens.clone()))
    }

    /// Returns the names of the fields of a struct, each with that of its type; `None` if the file does not tell, or its values are also of
    /// another type.
    pub(crate) fn fields(&self, ty: &Type) -> Option<Vec<(String, String)>> {
        let found = self.structure(ty)?;
        let is_dereferenced = self.text.contains(&format!("Deref for {}", last_name(ty)));
        let name = |field: &Field| Some((field.ident.as_ref()?.to_string(), last_name(&field.ty)));
        (!is_dereferenced).then(|| found.fields.iter().filter_map(name).collect())
    }

    /// Returns the names of the fields of a struct that are tensors; `None` if the file does not tell.
    pub(crate) fn tensors_of(&self, name: &str) -> Option<Vec<String>> {
        let found = self.structure(&syn::parse_str(name).ok()?)?;
        let is_tensor = |field: &&Field| matches!(&field.ty, Type::Path(ty) if ty.path.is_ident("Tensor"));
        Some(
            found.fields.iter().filter(is_tensor).filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect(),
        )
    }

    /// Returns the first field of a struct of hyperparameters that has no flag, as clap takes its value without one, and its line. `None`
    /// if there is none, or the file does not tell.
    pub(crate) fn field_without_flag(&self, ty: &Type) -> Option<(String, usize)> {
        let found = self.structure(ty)?;
        let field = found.fields.iter().filter(|field| !has_flag(field)).find_map(|field| field.ident.as_ref())?;
        let name = field.to_string();
        let start = self.text.find(&format!("struct {}", last_name(ty)))?;
        let is_declared = |place: &usize| self.text[start + place + name.len()..].trim_start().starts_with(':');
        let place = words_of(&self.text[start..], &name).find(is_declared)?;
        Some((name.clone(), self.line(start + place)))
    }

    /// Returns the line of the only method of this name; `None` if there are several.
    pub(crate) fn line_of_method(&self, name: &str) -> Option<usize> {
        let mut methods = words_of(&self.text, name).filter(|place| self.text[..*place].ends_with("fn "));
        let (place, None) = (methods.next()?, methods.next()) else { return None };
        Some(self.line(place))
    }

    fn line(&self, place: usize) -> usize {
        self.text[..place].matches('\n').count() + 1
    }

    /// Returns the one struct of this type's name. Only its own text is parsed, as that of the file takes longer than an expansion.
    fn structure(&self, ty: &Type) -> Option<ItemStruct> {
        let head = format!("struct {}", last_name(ty));
        let is_name = |rest: &&str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let mut found = self.text.split(&head).skip(1).filter(is_name);
        let (rest, None) = (found.next()?, found.next()) else { return None };
        let end = rest.find("\n}")?;
        syn::parse_str(&format!("{head}{}", &rest[..end + 2])).ok()
    }

    /// Returns whether the file has this name of a type more often than in its definition and one block.
    pub(crate) fn uses(&self, name: &str) -> bool {
        words_of(&self.text, name).count() > 2
    }

    /// Returns what an alias of `Result` in the file stands for with this argument; `None` if the file has no such alias.
    pub(crate) fn alias_of_result(&self, name: &str, argument: Option<TokenStream>) -> Option<String> {
        let head = format!("type {name}");
        let is_declared = |place: &usize| self.text[place + head.len()..].starts_with([' ', '<', '=']);
        let mut places = self.text.match_indices(&head).map(|(place, _)| place).filter(is_declared);
        let (place, None) = (places.next()?, places.next()) else { return None };
        let declared: ItemType = syn::parse_str(&self.text[place..=place + self.text[place..].find(';')?]).ok()?;
        let parameter = declared.generics.type_params().next();
        let argument = argument.or_else(|| parameter?.default.as_ref().map(ToTokens::to_token_stream));
        let put = |token: TokenTree| match (&token, parameter, &argument) {
            (TokenTree::Ident(word), Some(parameter), Some(argument)) if *word == parameter.ident => argument.clone(),
            _ => token.into(),
        };
        let Type::Path(meant) = *declared.ty else { return None };
        let last = meant.path.segments.last().filter(|last| last.ident == "Result")?;
        Some(readable_tokens(substituted(last.to_token_stream(), &put)))
    }

    /// Returns whether the file has such a text.
    pub(crate) fn has_text(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        is_meant(&self.text)
    }

    /// Returns whether this file or another one of the crate has such a text, or whether that is not known.
    pub(crate) fn any_text(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        self.has_text(&is_meant) || crate_files::have_text(is_meant)
    }

    fn parsed(&self) -> Option<File> {
        syn::parse_file(&self.text).ok()
    }
}

/// Whether the text may define a type of this name.
pub(crate) fn defines_type(text: &str, name: &str) -> bool {
    let kinds = ["enum ", "struct ", "type ", "union "];
    words_of(text, name).any(|place| kinds.iter().any(|kind| text[..place].ends_with(kind)))
}

/// The tokens, with others in the place of some.
fn substituted(tokens: TokenStream, put: &impl Fn(TokenTree) -> TokenStream) -> TokenStream {
    let replaced = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            TokenTree::from(Group::new(group.delimiter(), substituted(group.stream(), put))).into()
        }
        other => put(other),
    });
    replaced.collect()
}

/// Whether clap makes a flag of the field, or it is marked as something else than a flag.
fn has_flag(field: &Field) -> bool {
    const SETTINGS: [&str; 8] = ["flatten", "index", "last", "long", "raw", "short", "skip", "subcommand"];
    field.attrs.iter().filter(|attribute| !attribute.path().is_ident("doc")).any(|attribute| {
        let is_conditional = attribute.path().is_ident("cfg_attr");
        is_conditional || flat(attribute.to_token_stream()).iter().any(|word| SETTINGS.contains(&word.as_str()))
    })
}

/// The structs of a name.
struct Structs {
    name: String,
    found: Vec<ItemStruct>,
}

impl VisitMut for Structs {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        if item.ident == self.name {
            self.found.push(item.clone());
        }
    }
}

/// The words in the derives of a struct.
fn derives(found: &ItemStruct) -> Vec<String> {
    let derives = found.attrs.iter().filter(|attribute| attribute.path().is_ident("derive"));
    flat(derives.map(ToTokens::to_token_stream).collect())
}

/// The places of a word in a text.
fn words_of<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).map(|(place, _)| place).filter(move |place| {
        !text[..*place].ends_with(is_letter) && !text[*place + word.len()..].starts_with(is_letter)
    })
}

fn has_word(text: &str, word: &str) -> bool {
    words_of(text, word).next().is_some()
}

/// The tokens without their spacing, which differs between the compiler's and parsed ones.
pub(crate) fn flat(tokens: TokenStream) -> Vec<String> {
    fn add(tokens: TokenStream, flat: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                        proc_macro2::Delimiter::Brace => ("{", "}"),
                        proc_macro2::Delimiter::Bracket => ("[", "]"),
                        proc_macro2::Delimiter::None => ("", ""),
                    };
                    flat.push(open.to_owned());
                    add(group.stream(), flat);
                    flat.push(close.to_owned());
                }
                other => flat.push(other.to_string()),
            }
        }
    }
    let mut all = Vec::new();
    add(tokens, &mut all);
    all.retain(|token| !token.is_empty());
    all
}
