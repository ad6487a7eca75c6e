//! The list of a type's settings, from which both writing and reading follow.

use super::{Config, Fields, Setting};
use crate::error::Result;

/// All settings of a thing, written and read by one list.
pub(crate) trait Settings {
    fn write(&self, to: &mut Config);

    fn read(&mut self, from: &mut Fields) -> Result<()>;
}

/// One entry of such a list: a field, or several whose names begin alike.
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

/// The list of a thing's settings: `"units" required: units` is a field without which it cannot be made, others keep
/// their default where the file says nothing; those after `only` have one value here, which a file may name; what comes
/// after `ignore` changes nothing; and the settings of `with` are the thing's own too.
///
/// `settings!([F] Dense<F> { "units" required: units, "use_bias": use_bias } only { "axis": -1 });`
macro_rules! settings {
    ([$($generics:tt)*] $type:ty { $($name:literal $($required:ident)?: $($field:tt).+),* $(,)? }
        $(only { $($fixed:literal: $value:expr),* $(,)? })? $(ignore { $($ignored:literal),* })?
        $(with { $part:tt })?) => {
        impl<$($generics)*> crate::config::Settings for $type {
            #[allow(unused_variables)]
            fn write(&self, to: &mut crate::config::Config) {
                $(crate::config::Entry::put(&self.$($field).+, $name, to);)*
                $($(to.set($fixed, $value);)*)?
                $(self.$part.write(to);)?
            }

            #[allow(unused_variables)]
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
