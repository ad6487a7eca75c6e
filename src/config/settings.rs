//! The list of a type's settings, which defines both writing and reading.

use super::{Config, Fields, Setting};
use crate::error::Result;

/// All settings of an object, written and read through one list.
// `pub` because the sealed trait behind the recurrent cells requires it.
pub trait Settings {
    fn write(&self, to: &mut Config);

    fn read(&mut self, from: &mut Fields) -> Result<()>;
}

/// An entry of such a list: one field, or several with a common prefix.
pub(crate) trait Entry {
    fn put(&self, name: &str, to: &mut Config);

    fn take(&mut self, name: &str, from: &mut Fields) -> Result<()>;

    fn demand(&mut self, name: &str, from: &mut Fields) -> Result<()>;
}

impl<T: Setting> Entry for T {
    fn put(&self, name: &str, to: &mut Config) {
        to.set(name, self.to_value());
    }

    fn take(&mut self, name: &str, from: &mut Fields) -> Result<()> {
        from.read(name, self)
    }

    fn demand(&mut self, name: &str, from: &mut Fields) -> Result<()> {
        *self = from.get(name)?;
        Ok(())
    }
}

/// The list of an object's settings. A field marked `required` must be in the file; the others keep their default if
/// the file omits them. The settings after `only` must have the given value if the file contains them, those after
/// `ignore` are skipped, and `with` includes the settings of a part.
///
/// `settings!([F] Dense<F> { "units" required: units, "use_bias": use_bias } only { "axis": -1 });`
macro_rules! settings {
    ([$($generics:tt)*] $type:ty { $($name:literal $($required:ident)?: $($field:tt).+),* $(,)? }
        $(only { $($fixed:literal: $value:expr),* $(,)? })? $(ignore { $($ignored:literal),* })?
        $(with { $part:tt })?) => {
        impl<$($generics)*> crate::config::Settings for $type {
            #[allow(unused_variables)] // a type may have no settings
            fn write(&self, to: &mut crate::config::Config) {
                $(crate::config::Entry::put(&self.$($field).+, $name, to);)*
                $($(to.set($fixed, $value);)*)?
                $(self.$part.write(to);)?
            }

            #[allow(unused_variables)] // a type may have no settings
            fn read(&mut self, from: &mut crate::config::Fields) -> crate::error::Result<()> {
                $(crate::config::settings!(@read self.[$($field).+], $name, from, $($required)?);)*
                $($(from.only($fixed, $value)?;)*)?
                $($(_ = from.value($ignored);)*)?
                $(self.$part.read(from)?;)?
                Ok(())
            }
        }
    };
    (@read $self:ident.[$($field:tt).+], $name:literal, $from:ident, required) => {
        crate::config::Entry::demand(&mut $self.$($field).+, $name, $from)?;
    };
    (@read $self:ident.[$($field:tt).+], $name:literal, $from:ident,) => {
        crate::config::Entry::take(&mut $self.$($field).+, $name, $from)?;
    };
}
pub(crate) use settings;

/// Implements `config` by the settings that `settings!` lists, under a kind of one of Keras's modules.
macro_rules! saved {
    ($module:expr, $kind:expr) => {
        fn config(&self) -> Option<crate::config::Config> {
            Some(crate::config::Config::from_settings($module, $kind, self))
        }
    };
}
pub(crate) use saved;

/// Consuming setters, each of one field: `use_bias: bool;` sets the field of that name, and
/// `activation: Activation => activation.function;` another one.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty $(=> $($field:tt).+ $([$index:literal])?)?;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            crate::config::setters!(@set self, $name $(, $($field).+ $([$index])?)?);
            self
        }
    )*};
    (@set $self:ident, $name:ident) => {
        $self.$name = $name;
    };
    (@set $self:ident, $name:ident, $($field:tt)+) => {
        $self.$($field)+ = $name;
    };
}
pub(crate) use setters;
