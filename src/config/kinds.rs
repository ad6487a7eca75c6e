//! From a kind to the thing: what is known by name, of stock and of the user's own.

use std::fmt;
use std::sync::Arc;

use super::Fields;
use crate::error::{FileError, Result};

/// Makes a thing of its settings; things within it are made by the same table.
type Make<T> = dyn Fn(&mut Fields, &Kinds<T>) -> Result<Box<T>> + Send + Sync;

/// A row of stock: a kind, and how it is made.
pub(crate) type Made<T> = (&'static str, fn(&mut Fields, &Kinds<T>) -> Result<Box<T>>);

/// All kinds of one family.
pub(crate) struct Kinds<T: ?Sized> {
    /// `layer`, `loss` ..., as the loader's method is called by which one registers.
    what: &'static str,
    stock: Vec<Made<T>>,
    own: Vec<(String, Arc<Make<T>>)>,
}

impl<T: ?Sized> Kinds<T> {
    pub(crate) fn new(what: &'static str, stock: Vec<Made<T>>) -> Self {
        Kinds { what, stock, own: Vec::new() }
    }

    /// The kinds, those of stock first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.stock.iter().map(|(kind, _)| *kind).chain(self.own.iter().map(|(kind, _)| kind.as_str()))
    }

    /// The kind of stock that Keras also calls by this name in snake case, or by the class's own.
    pub(crate) fn named(&self, name: &str) -> Option<&'static str> {
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        self.stock.iter().map(|(kind, _)| *kind).find(|kind| plain(kind) == plain(name))
    }

    /// Knows a kind more, before those of stock.
    pub(crate) fn add(
        &mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut Fields) -> Result<Box<T>> + Send + Sync + 'static,
    ) {
        self.own.push((kind.into(), Arc::new(move |fields, _| make(fields))));
    }

    /// Makes the thing; the caller reads the fields that all things of the family have.
    pub(crate) fn begin(&self, fields: &mut Fields, module: &str) -> Result<Box<T>> {
        let kind = fields.kind();
        if let Some((_, make)) = self.own.iter().rev().find(|(known, _)| known == kind) {
            return make(fields, self);
        }
        let ours = module == "cornu" || module == "keras" || module.starts_with("keras.");
        match self.stock.iter().find(|(known, _)| *known == kind) {
            Some((_, make)) if ours => make(fields, self),
            _ => Err(FileError::UnknownKind {
                what: self.what,
                path: fields.path().into(),
                kind: kind.into(),
                module: module.into(),
            }
            .into()),
        }
    }
}

impl<T: ?Sized> Clone for Kinds<T> {
    fn clone(&self) -> Self {
        Kinds { what: self.what, stock: self.stock.clone(), own: self.own.clone() }
    }
}

impl<T: ?Sized> fmt::Debug for Kinds<T> {
    /// The kinds of stock are known; it tells the user's own.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(self.own.iter().map(|(kind, _)| kind)).finish()
    }
}

/// Rows of stock, each a kind and the thing that its settings are read into: `stock!["Dense": Dense::new(1)]`.
macro_rules! stock {
    ($($kind:literal: $blank:expr),* $(,)?) => {
        vec![$(($kind, |fields: &mut crate::config::Fields, _| {
            let mut made = $blank;
            fields.fill(&mut made)?;
            Ok(Box::new(made))
        })),*]
    };
}
pub(crate) use stock;
