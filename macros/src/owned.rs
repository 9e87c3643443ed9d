//! A type that borrows and must not, as if it owned what it holds: `'static` for each of its lifetimes. Beside the mistake
//! it has implementations all the same, so that its uses bring no further ones.

use crate::model::Block;
use crate::parse::BlockItem;
use syn::visit_mut::VisitMut;
use syn::{GenericParam, Generics, Ident, Lifetime};

/// Writes `'static` for lifetimes that were taken out of generics.
pub(crate) struct Owned {
    lifetimes: Vec<Ident>,
}

impl Owned {
    /// Takes the lifetimes out.
    pub(crate) fn of(generics: &mut Generics) -> Self {
        let lifetimes = generics.lifetimes().map(|parameter| parameter.lifetime.ident.clone()).collect();
        let others = std::mem::take(&mut generics.params).into_iter();
        generics.params = others.filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_))).collect();
        let mut owned = Self { lifetimes };
        owned.visit_generics_mut(generics);
        owned
    }
}

impl VisitMut for Owned {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.lifetimes.contains(&lifetime.ident) {
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }
}

/// Makes the block one of a type without lifetimes.
pub(crate) fn make_owned(block: &mut Block) {
    let mut owned = Owned::of(&mut block.item.head.generics);
    owned.visit_type_mut(&mut block.item.head.self_ty);
    for item in &mut block.item.items {
        if let BlockItem::Method(method) = item {
            owned.visit_signature_mut(&mut method.sig);
        }
    }
    for hook in &mut block.hooks {
        owned.visit_signature_mut(&mut hook.method.sig);
    }
}
