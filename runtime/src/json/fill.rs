//! Reads a struct from JSON that does not have all of its fields. Missing fields get placeholder values, which the caller replaces: a
//! deserializer knows a field's name and type, but not its default.

use super::read::{Marked, mark};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor,
};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The names that lead to a value.
pub type Path = Vec<String>;

/// The structs in a type, as far as they are known.
#[derive(Debug, Default)]
pub struct Shape {
    /// The names of the fields of each struct.
    pub structs: BTreeMap<Path, &'static [&'static str]>,
    /// The paths of optional structs.
    pub optional: BTreeSet<Path>,
}

/// Generates placeholders for missing values.
pub struct Filler<'a> {
    /// Determines the placeholders: fillers with different seeds generate different ones. Seed 0 generates Rust's defaults.
    seed: u8,
    /// The placeholders of strings, by the names of their fields.
    texts: &'a BTreeMap<String, String>,
    shape: RefCell<Shape>,
    missing: RefCell<BTreeSet<&'static str>>,
    /// Whether every field gets a placeholder, to find the structs in a type.
    learns: bool,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(seed: u8, texts: &'a BTreeMap<String, String>) -> Self {
        Self { seed, texts, shape: RefCell::default(), missing: RefCell::default(), learns: false }
    }

    /// Returns the structs in a type, as far as they can be found.
    pub(crate) fn shape_of<T: DeserializeOwned>(json: &Value, texts: &'a BTreeMap<String, String>) -> Shape {
        let filler = Self { learns: true, ..Self::new(1, texts) };
        let _ = T::deserialize(Filling { json: Some(json), path: Path::new(), filler: &filler });
        let mut shape = filler.shape.into_inner();
        let structs: BTreeSet<Path> = shape.structs.keys().cloned().collect();
        shape.optional.retain(|path| structs.contains(path));
        shape
    }

    /// Deserializes a value. Missing optional structs of `shape` get placeholders.
    pub(crate) fn fill<T: DeserializeOwned>(self, json: &Value, shape: &Shape) -> serde_json::Result<T> {
        self.shape.borrow_mut().optional.clone_from(&shape.optional);
        loop {
            match T::deserialize(Filling { json: Some(json), path: Path::new(), filler: &self }) {
                Ok(value) => return Ok(value),
                Err(FillError::Missing(field)) if self.missing.borrow_mut().insert(field) => {}
                Err(FillError::Missing(field)) => return Err(serde_json::Error::missing_field(field)),
                Err(FillError::Wrong(error)) => return Err(error),
            }
        }
    }

    fn is_optional_struct(&self, path: &[String]) -> bool {
        self.shape.borrow().optional.contains(path)
    }

    fn is_filled(&self, path: &[String]) -> bool {
        let is_missing = path.last().is_some_and(|name| self.missing.borrow().contains(name.as_str()));
        self.learns || is_missing || self.is_optional_struct(path)
    }

    fn text(&self, path: &[String]) -> Option<&str> {
        self.texts.get(path.last()?).map(String::as_str)
    }
}

/// The error of a value that cannot be deserialized.
#[derive(Debug)]
enum FillError {
    /// A missing field, which can get a placeholder.
    Missing(&'static str),
    Wrong(serde_json::Error),
}

impl fmt::Display for FillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "missing field `{field}`"),
            Self::Wrong(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FillError {}

impl serde::de::Error for FillError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Wrong(serde_json::Error::custom(message))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// A value, or the placeholder of a missing one.
#[derive(Clone)]
struct Filling<'a> {
    json: Option<&'a Value>,
    path: Path,
    filler: &'a Filler<'a>,
}

impl<'a> Filling<'a> {
    fn field(&self, name: &str, json: Option<&'a Value>) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self { json, path, filler: self.filler }
    }

    fn seed(&self) -> u8 {
        self.filler.seed
    }

    /// Returns the placeholder of a value of unknown type: the text of its flag, parsed as JSON if possible.
    fn guess(&self) -> Value {
        let text = self.filler.text(&self.path);
        let guess = text.map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into()));
        guess.unwrap_or_else(|| self.seed().into())
    }

    /// Returns the given fields, and the missing ones that get a placeholder.
    fn fields(&self, map: Option<&'a Map<String, Value>>, names: &[&'static str]) -> Vec<(String, Self)> {
        let given = map.into_iter().flatten().map(|(name, json)| (name.clone(), self.field(name, Some(json))));
        let is_given = |name: &str| map.is_some_and(|map| map.contains_key(name));
        let others =
            names.iter().filter(|name| !is_given(name)).map(|name| ((*name).to_owned(), self.field(name, None)));
        given.chain(others.filter(|(_, field)| self.filler.is_filled(&field.path))).collect()
    }
}

impl<'a> IntoDeserializer<'a, FillError> for Filling<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! filled {
    ($($method:ident $visit:ident |$it:ident| $value:expr),* $(,)?) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
            match self.json {
                Some(json) => Marked(json).$method(visitor).map_err(FillError::Wrong),
                None => {
                    let $it = self;
                    visitor.$visit($value)
                }
            }
        }
    )*};
}

impl<'a> Deserializer<'a> for Filling<'a> {
    type Error = FillError;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
        match self.json {
            Some(json) => Marked(json).deserialize_any(visitor).map_err(FillError::Wrong),
            None => self.guess().deserialize_any(visitor).map_err(FillError::Wrong),
        }
    }

    filled! {
        deserialize_bool visit_bool |it| it.seed() % 2 == 1,
        deserialize_i8 visit_i64 |it| it.seed().into(),
        deserialize_i16 visit_i64 |it| it.seed().into(),
        deserialize_i32 visit_i64 |it| it.seed().into(),
        deserialize_i64 visit_i64 |it| it.seed().into(),
        deserialize_i128 visit_i128 |it| it.seed().into(),
        deserialize_u8 visit_u64 |it| it.seed().into(),
        deserialize_u16 visit_u64 |it| it.seed().into(),
        deserialize_u32 visit_u64 |it| it.seed().into(),
        deserialize_u64 visit_u64 |it| it.seed().into(),
        deserialize_u128 visit_u128 |it| it.seed().into(),
        deserialize_f32 visit_f64 |it| it.seed().into(),
        deserialize_f64 visit_f64 |it| it.seed().into(),
        deserialize_char visit_char |it| it.seed().into(),
        deserialize_str visit_str |it| it.filler.text(&it.path).unwrap_or(text(it.seed())),
        deserialize_string visit_str |it| it.filler.text(&it.path).unwrap_or(text(it.seed())),
        deserialize_bytes visit_bytes |it| text(it.seed()).as_bytes(),
        deserialize_byte_buf visit_bytes |it| text(it.seed()).as_bytes(),
        deserialize_identifier visit_str |it| text(it.seed()),
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
        match self.json {
            Some(json) if !json.is_null() => visitor.visit_some(self),
            _ if self.filler.learns => {
                self.filler.shape.borrow_mut().optional.insert(self.path.clone());
                visitor.visit_some(Self { json: None, ..self })
            }
            _ if self.filler.is_optional_struct(&self.path) => visitor.visit_some(Self { json: None, ..self }),
            _ => visitor.visit_none(),
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, FillError> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, FillError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
        match self.json {
            Some(json) => Marked(json).deserialize_seq(visitor).map_err(FillError::Wrong),
            None => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Self>())),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value, FillError> {
        match self.json {
            Some(json) => Marked(json).deserialize_tuple(length, visitor).map_err(FillError::Wrong),
            None => visitor.visit_seq(SeqDeserializer::new((0..length).map(|_| self.field("", None)))),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, FillError> {
        self.deserialize_tuple(length, visitor)
    }

    // serde deserializes a struct with `serde(flatten)` as a map
    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, FillError> {
        match self.json {
            Some(Value::Object(map)) if mark(map).is_none() => {
                let missing: Vec<&'static str> = self.filler.missing.borrow().iter().copied().collect();
                let names = if self.path.is_empty() { missing } else { Vec::new() };
                visitor.visit_map(MapDeserializer::new(self.fields(Some(map), &names).into_iter()))
            }
            Some(json) => Marked(json).deserialize_map(visitor).map_err(FillError::Wrong),
            None => visitor.visit_map(MapDeserializer::new(std::iter::empty::<(String, Self)>())),
        }
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FillError> {
        let map = match self.json {
            Some(Value::Object(map)) if mark(map).is_none() => Some(map),
            Some(json) => return Marked(json).deserialize_struct(name, fields, visitor).map_err(FillError::Wrong),
            None => None,
        };
        self.filler.shape.borrow_mut().structs.insert(self.path.clone(), fields);
        visitor.visit_map(MapDeserializer::new(self.fields(map, fields).into_iter()))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FillError> {
        match self.json {
            Some(json) => Marked(json).deserialize_enum(name, variants, visitor).map_err(FillError::Wrong),
            None => visitor.visit_enum(AnyVariant { variants, inner: self }),
        }
    }
}

fn text(seed: u8) -> &'static str {
    ["", "1", "2"][usize::from(seed) % 3]
}

/// A placeholder for an enum: one of its variants.
struct AnyVariant<'a> {
    variants: &'static [&'static str],
    inner: Filling<'a>,
}

impl<'a> EnumAccess<'a> for AnyVariant<'a> {
    type Error = FillError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<(S::Value, Self), FillError> {
        let index = usize::from(self.inner.seed()) % self.variants.len().max(1);
        let name: &'static str = self.variants.get(index).copied().unwrap_or_default();
        let variant = seed.deserialize(IntoDeserializer::<FillError>::into_deserializer(name))?;
        Ok((variant, self))
    }
}

impl<'a> VariantAccess<'a> for AnyVariant<'a> {
    type Error = FillError;

    fn unit_variant(self) -> Result<(), FillError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value, FillError> {
        seed.deserialize(self.inner.field("", None))
    }

    fn tuple_variant<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value, FillError> {
        self.inner.field("", None).deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FillError> {
        let inner = self.inner.field("", None);
        visitor.visit_map(MapDeserializer::new(inner.fields(None, fields).into_iter()))
    }
}
