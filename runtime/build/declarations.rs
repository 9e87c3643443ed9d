//! Translates the files `declarations.rs` in `src/native` into a C++ header.

use std::collections::HashSet;
use std::fmt::Write;
use syn::{
    Fields, FnArg, ForeignItem, Ident, Item, ItemStruct, ItemType, Pat, ReturnType, Signature, Type, TypeBareFn,
};

const HEAD: &str =
    "// Written by the build script from the files `declarations.rs` in src/native and its folders: change those files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace at {
class Tensor;
}
";

/// Returns the header for files of Rust declarations: a C++ struct for each `#[repr(C)]` struct, a class for each opaque one, a type for each type
/// of functions, and a prototype for each foreign function.
///
/// # Errors
/// The declaration that does not parse, or whose type has no counterpart in C++.
pub fn header(files: &[impl AsRef<str>]) -> Result<String, String> {
    let items = files.iter().map(|rust| syn::parse_file(rust.as_ref()).map(|file| file.items));
    let items: Vec<Vec<Item>> =
        items.collect::<Result<_, _>>().map_err(|error| format!("the declarations do not parse: {error}"))?;
    let items = items.concat();
    let structs = items.iter().filter_map(|item| if let Item::Struct(item) = item { Some(&item.ident) } else { None });
    let structs = Structs(structs.collect());
    let mut types = String::new();
    let mut prototypes = String::new();
    for item in &items {
        match item {
            Item::Struct(item) => types += &structs.definition(item)?,
            Item::Type(item) => types += &structs.function_type(item)?,
            Item::ForeignMod(block) => {
                for item in &block.items {
                    let ForeignItem::Fn(function) = item else {
                        return Err("a foreign item is not a function".to_owned());
                    };
                    prototypes += &structs.prototype(&function.sig)?;
                }
            }
            _ => {}
        }
    }
    Ok(format!("{HEAD}\nnamespace lightning {{\n{types}}}\n\nextern \"C\" {{\n{prototypes}}}\n"))
}

/// The structs of the file, which its other declarations may name.
struct Structs<'a>(HashSet<&'a Ident>);

impl Structs<'_> {
    fn definition(&self, item: &ItemStruct) -> Result<String, String> {
        let name = cpp_name(&item.ident);
        if !item.attrs.iter().any(|attribute| attribute.path().is_ident("repr")) {
            return Err(format!("`{name}` crosses the boundary, and must be `#[repr(C)]`"));
        }
        let Fields::Named(fields) = &item.fields else {
            return Err(format!("the fields of `{name}` have no names"));
        };
        let mut members = String::new();
        for field in &fields.named {
            let field_name = field.ident.as_ref().map(Ident::to_string).unwrap_or_default();
            if field_name == "_opaque" {
                return Ok(format!("class {name};\n"));
            }
            let member =
                self.declarator(&field.ty, &field_name).map_err(|error| format!("`{name}::{field_name}`: {error}"))?;
            let _ = writeln!(members, "  {member};");
        }
        Ok(format!("struct {name} {{\n{members}}};\n"))
    }

    fn function_type(&self, item: &ItemType) -> Result<String, String> {
        let name = &item.ident;
        let Type::BareFn(function) = &*item.ty else { return Err(format!("`{name}` is not a type of functions")) };
        let located = |error| format!("`{name}`: {error}");
        let parameters = self.types(function).map_err(located)?;
        let result = self.result(&function.output).map_err(located)?;
        Ok(format!("using {name} = {result}({parameters});\n"))
    }

    fn prototype(&self, signature: &Signature) -> Result<String, String> {
        let located = |error| format!("`{}`: {error}", signature.ident);
        let mut parameters = Vec::new();
        for input in &signature.inputs {
            let FnArg::Typed(input) = input else { return Err(located("a foreign function has no `self`".to_owned())) };
            let Pat::Ident(name) = &*input.pat else { return Err(located("a parameter has no name".to_owned())) };
            parameters.push(self.declarator(&input.ty, &name.ident.to_string()).map_err(located)?);
        }
        let result = self.result(&signature.output).map_err(located)?;
        Ok(format!("{result} {}({});\n", signature.ident, parameters.join(", ")))
    }

    fn result(&self, output: &ReturnType) -> Result<String, String> {
        match output {
            ReturnType::Default => Ok("void".to_owned()),
            ReturnType::Type(_, result) => self.cpp_type(result),
        }
    }

    /// The types of a function's parameters.
    fn types(&self, function: &TypeBareFn) -> Result<String, String> {
        let types = function.inputs.iter().map(|input| self.cpp_type(&input.ty)).collect::<Result<Vec<_>, _>>()?;
        Ok(types.join(", "))
    }

    /// Declares `name` with a type: a pointer to a function is written around the name.
    fn declarator(&self, ty: &Type, name: &str) -> Result<String, String> {
        let Type::BareFn(function) = ty else { return Ok(format!("{} {name}", self.cpp_type(ty)?)) };
        if !matches!(function.output, ReturnType::Default) {
            return Err("a callback returns nothing".to_owned());
        }
        Ok(format!("void (*{name})({})", self.types(function)?))
    }

    fn cpp_type(&self, ty: &Type) -> Result<String, String> {
        match ty {
            Type::Ptr(pointer) => {
                let target = self.cpp_type(&pointer.elem)?;
                // `const` after what it qualifies, so that pointers to pointers are read from right to left
                Ok(if pointer.const_token.is_some() { format!("{target} const*") } else { format!("{target}*") })
            }
            Type::Path(path) => {
                let name = path.path.get_ident().ok_or("a type is named by its last part alone")?;
                Ok(match name.to_string().as_str() {
                    "bool" => "bool".to_owned(),
                    "c_char" => "char".to_owned(),
                    "c_int" => "int".to_owned(),
                    "c_void" => "void".to_owned(),
                    "f64" => "double".to_owned(),
                    "i8" => "std::int8_t".to_owned(),
                    "i64" => "std::int64_t".to_owned(),
                    "u32" => "std::uint32_t".to_owned(),
                    "u64" => "std::uint64_t".to_owned(),
                    "usize" => "std::size_t".to_owned(),
                    "C_tensor" => "at::Tensor".to_owned(),
                    _ if self.0.contains(name) => format!("lightning::{}", cpp_name(name)),
                    other => return Err(format!("`{other}` has no counterpart in C++")),
                })
            }
            _ => Err("only pointers and named types cross the boundary".to_owned()),
        }
    }
}

/// `CGroup` is `Group` in C++.
fn cpp_name(name: &Ident) -> String {
    let name = name.to_string();
    match name.strip_prefix('C') {
        Some(rest) if rest.starts_with(char::is_uppercase) => rest.to_owned(),
        _ => name,
    }
}
