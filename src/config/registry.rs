//! The registry of one family, such as the layers: maps names in files to constructors, built in or registered by the
//! user.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Config, Fields, Value, refuse};
use crate::error::{FileError, Result};

/// A constructor from settings; it creates nested objects through the same registry.
type Construct<T> = dyn Fn(&mut Fields, &Registry<T>) -> Result<Box<T>> + Send + Sync;

/// A built-in kind and its constructor.
pub(crate) type Constructor<T> = (&'static str, fn(&mut Fields, &Registry<T>) -> Result<Box<T>>);

/// All kinds of one family, such as the layers.
pub(crate) struct Registry<T: ?Sized> {
    /// `layer`, `loss` ...: also the name of the loader's method that registers one.
    what: &'static str,
    built_in: Vec<Constructor<T>>,
    custom: Vec<(String, Arc<Construct<T>>)>,
}

impl<T: ?Sized> Registry<T> {
    pub(crate) fn new(what: &'static str, built_in: Vec<Constructor<T>>) -> Self {
        Registry { what, built_in, custom: Vec::new() }
    }

    /// The names of all kinds, the built-in ones first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.built_in.iter().map(|(kind, _)| *kind).chain(self.custom.iter().map(|(kind, _)| kind.as_str()))
    }

    /// The settings that a value holds, or names by a word of Keras for `thing`, such as "a loss".
    pub(crate) fn config<'v>(
        &self,
        value: &'v Value,
        path: &str,
        thing: &str,
        module: &str,
        aliases: &[(&str, &str)],
    ) -> Result<Cow<'v, Config>> {
        match (value.name(), value) {
            (Some(name), _) => {
                let alias = aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
                let kind = alias.map(|(_, kind)| *kind).or_else(|| self.named(name));
                let kind = kind.ok_or_else(|| refuse(path, format!("{thing} of Keras"), value))?;
                Ok(Cow::Owned(Config::of(module, kind)))
            }
            (None, Value::Config(config)) => Ok(Cow::Borrowed(config)),
            _ => Err(refuse(path, thing, value)),
        }
    }

    /// The built-in kind with this name, which Keras writes in snake case or as a class name.
    fn named(&self, name: &str) -> Option<&'static str> {
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        self.built_in.iter().map(|(kind, _)| *kind).find(|kind| plain(kind) == plain(name))
    }

    /// Whether the user registered a kind of this name.
    pub(crate) fn is_custom(&self, kind: &str) -> bool {
        self.custom.iter().any(|(known, _)| known == kind)
    }

    /// Registers a user's kind, which takes precedence over a built-in one of the same name.
    pub(crate) fn add(
        &mut self,
        kind: impl Into<String>,
        construct: impl Fn(&mut Fields) -> Result<Box<T>> + Send + Sync + 'static,
    ) {
        self.custom.push((kind.into(), Arc::new(move |fields, _| construct(fields))));
    }

    /// Constructs the object; the caller reads the fields common to the family.
    pub(crate) fn construct(&self, fields: &mut Fields) -> Result<Box<T>> {
        let kind = fields.kind();
        if let Some((_, construct)) = self.custom.iter().rev().find(|(known, _)| known == kind) {
            return construct(fields, self);
        }
        match self.built_in.iter().find(|(known, _)| *known == kind) {
            Some((_, construct)) if fields.is_built_in() => construct(fields, self),
            _ => Err(FileError::UnknownKind {
                what: self.what,
                path: fields.path().into(),
                kind: kind.into(),
                module: fields.module().map(str::to_string),
            }
            .into()),
        }
    }
}

impl<T: ?Sized> Clone for Registry<T> {
    fn clone(&self) -> Self {
        Registry { what: self.what, built_in: self.built_in.clone(), custom: self.custom.clone() }
    }
}

impl<T: ?Sized> fmt::Debug for Registry<T> {
    /// Lists the user's kinds.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(self.custom.iter().map(|(kind, _)| kind)).finish()
    }
}

/// Rows of built-in kinds, each with the value into which its settings are read: `built_in!["Dense": Dense::new(1)]`.
macro_rules! built_in {
    ($($kind:literal: $default:expr),* $(,)?) => {
        vec![$(($kind, |fields: &mut crate::config::Fields, _| {
            let mut thing = $default;
            crate::config::Settings::read(&mut thing, fields)?;
            Ok(Box::new(thing))
        })),*]
    };
}
pub(crate) use built_in;
