//! The attribute of a field: `#[batch("N 3 H W", f32, 0..10)]` or `#[batch(skip)]`.

use crate::catalogue;
use crate::types::{self, readable};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprRange, ExprUnary, Field, Lit, LitStr, Meta, RangeLimits, Token, UnOp};

/// What a field's attributes say.
#[derive(Default)]
pub(super) struct FieldAttribute {
    /// Whether the field is passed on unchanged.
    pub(super) skips: bool,
    pub(super) contract: Option<Contract>,
}

/// The contract of a field.
#[derive(Default)]
pub(super) struct Contract {
    shape: Option<Vec<Dimension>>,
    /// The variant of `Kind`.
    kind: Option<Ident>,
    range: Option<ExprRange>,
}

/// The dtypes of a contract, with the names of their `Kind`.
const DTYPES: [(&str, &str); 10] = [
    ("f16", "Half"),
    ("bf16", "BFloat16"),
    ("f32", "Float"),
    ("f64", "Double"),
    ("u8", "Uint8"),
    ("i8", "Int8"),
    ("i16", "Int16"),
    ("i32", "Int"),
    ("i64", "Int64"),
    ("bool", "Bool"),
];

/// The names that PyTorch has for them.
const OF_PYTORCH: [(&str, &str); 17] = [
    ("float16", "f16"),
    ("half", "f16"),
    ("bfloat16", "bf16"),
    ("float32", "f32"),
    ("float", "f32"),
    ("float64", "f64"),
    ("double", "f64"),
    ("uint8", "u8"),
    ("int8", "i8"),
    ("int16", "i16"),
    ("short", "i16"),
    ("int32", "i32"),
    ("int", "i32"),
    ("int64", "i64"),
    ("long", "i64"),
    ("usize", "i64"),
    ("isize", "i64"),
];

impl FieldAttribute {
    pub(super) fn read(field: &Field) -> syn::Result<Self> {
        let mut read = Self::default();
        for attribute in of_batch(&field.attrs) {
            let wrong = |diagnostic| Err(syn::Error::new_spanned(attribute, diagnostic));
            let is_second = read.skips || read.contract.is_some();
            if is_second || !matches!(attribute.meta, Meta::List(_)) {
                return wrong(catalogue::batch_contract());
            }
            read = attribute.parse_args()?;
            if read.contract.is_some() && !types::may_hold_tensors(&field.ty) {
                return wrong(catalogue::contract_without_tensors(readable(&field.ty)));
            }
        }
        Ok(read)
    }
}

/// Returns the attributes of this derive.
pub(super) fn of_batch(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("batch"))
}

impl Parse for FieldAttribute {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let wrong = |place| syn::Error::new(place, catalogue::batch_contract());
        let place = input.span();
        let parts = Punctuated::<Expr, Token![,]>::parse_terminated(input).map_err(|error| wrong(error.span()))?;
        if parts.is_empty() {
            return Err(wrong(place));
        }
        if parts.to_token_stream().to_string() == "skip" {
            return Ok(Self { skips: true, contract: None });
        }
        let mut contract = Contract::default();
        parts.into_iter().try_for_each(|part| contract.add(part))?;
        Ok(Self { skips: false, contract: Some(contract) })
    }
}

impl Contract {
    fn is_empty(&self) -> bool {
        self.shape.is_none() && self.kind.is_none() && self.range.is_none()
    }

    /// Adds the next part: the shape comes before the dtype, and the dtype before the range.
    fn add(&mut self, part: Expr) -> syn::Result<()> {
        let wrong = |part: &Expr| Err(syn::Error::new_spanned(part, catalogue::batch_contract()));
        match part {
            Expr::Lit(ExprLit { lit: Lit::Str(shape), .. }) if self.is_empty() => {
                self.shape = Some(dimensions(&shape)?);
            }
            Expr::Range(range) if self.range.is_none() && (range.start.is_some() || range.end.is_some()) => {
                if is_empty(&range) {
                    let written = range.to_token_stream().to_string().replace(' ', "");
                    return Err(syn::Error::new_spanned(range, catalogue::empty_range(written)));
                }
                self.range = Some(range);
            }
            Expr::Path(path) if self.kind.is_none() && self.range.is_none() => {
                // `N` is a size, which is a part of a text
                let is_dtype = |name: &&Ident| *name != "skip" && !name.to_string().starts_with(char::is_uppercase);
                let Some(name) = path.path.get_ident().filter(is_dtype) else {
                    return wrong(&Expr::Path(path));
                };
                self.kind = Some(kind(name)?);
            }
            other => return wrong(&other),
        }
        Ok(())
    }

    /// Returns the value of the runtime's `Contract`.
    pub(super) fn expand(&self, private: &TokenStream) -> TokenStream {
        let option = |value: Option<TokenStream>| match value {
            Some(value) => quote!(::core::option::Option::Some(#value)),
            None => quote!(::core::option::Option::None),
        };
        let shape = option(self.shape.as_ref().map(|dimensions| {
            let dimensions = dimensions.iter().map(|dimension| dimension.expand(private));
            quote!(&[#(#dimensions),*])
        }));
        let kind = option(self.kind.as_ref().map(|kind| quote!(#private::Kind::#kind)));
        let range = option(self.range.as_ref().map(|range| {
            let of = at(range.span(), &quote!(#private::Range::of));
            quote_spanned!(range.span()=> #of(&(#range)))
        }));
        quote!(#private::Contract { shape: #shape, kind: #kind, range: #range })
    }
}

/// Whether no number is in a range of two literals.
fn is_empty(range: &ExprRange) -> bool {
    let bounds = (range.start.as_deref().and_then(literal), range.end.as_deref().and_then(literal));
    let (Some(low), Some(high)) = bounds else { return false };
    match range.limits {
        RangeLimits::HalfOpen(_) => low >= high,
        RangeLimits::Closed(_) => low > high,
    }
}

/// Returns the value of a number, with or without a sign.
fn literal(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => literal(expr).map(|number: f64| -number),
        _ => None,
    }
}

/// Returns generated tokens with the place of what the user wrote, where the compiler reports what is wrong with it.
pub(crate) fn at(place: Span, tokens: &TokenStream) -> TokenStream {
    let span = place.resolved_at(Span::call_site());
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// Returns the variant of `Kind` for a dtype.
fn kind(name: &Ident) -> syn::Result<Ident> {
    let written = name.to_string();
    let of_pytorch = OF_PYTORCH.iter().find(|(known, _)| *known == written);
    match (DTYPES.iter().find(|(known, _)| *known == written), of_pytorch) {
        (Some((_, kind)), _) => Ok(Ident::new(kind, name.span())),
        (None, Some((_, dtype))) => Err(syn::Error::new_spanned(name, catalogue::named_dtype(name, dtype))),
        (None, None) => Err(syn::Error::new_spanned(name, catalogue::unknown_dtype(name))),
    }
}

/// A size in the text of a shape.
enum Dimension {
    Size(i64),
    Named(String),
    Any,
    Rest,
}

impl Dimension {
    fn expand(&self, private: &TokenStream) -> TokenStream {
        match self {
            Self::Size(size) => quote!(#private::Dimension::Size(#size)),
            Self::Named(name) => quote!(#private::Dimension::Named(#name)),
            Self::Any => quote!(#private::Dimension::Any),
            Self::Rest => quote!(#private::Dimension::Rest),
        }
    }
}

/// Reads `N 3 H W`.
fn dimensions(shape: &LitStr) -> syn::Result<Vec<Dimension>> {
    let text = shape.value();
    let mut dimensions = Vec::new();
    for word in text.split_whitespace() {
        let is_name =
            word.chars().all(|c| c.is_alphanumeric() || c == '_') && !word.starts_with(|c: char| c.is_numeric());
        dimensions.push(match word {
            "_" => Dimension::Any,
            "..." if !dimensions.iter().any(|dimension| matches!(dimension, Dimension::Rest)) => Dimension::Rest,
            _ => match word.parse() {
                Ok(size) if size >= 0 => Dimension::Size(size),
                _ if is_name => Dimension::Named(word.to_owned()),
                _ => return Err(syn::Error::new_spanned(shape, catalogue::batch_dimension(word))),
            },
        });
    }
    Ok(dimensions)
}
