//! What can stand in a field: numbers, words, lists, and the closed sets.

use super::fields::refuse;
use super::{Config, Fields, Value};
use crate::error::Result;

/// A type that a setting can have.
///
/// # Example
/// ```
/// use cornu::config::{Setting, Value};
/// assert_eq!(<[usize; 2]>::from_value(&Value::from(vec![3, 3]), "kernel_size")?, [3, 3]);
/// assert_eq!(Some(2.5).to_value(), Value::Float(2.5));
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Setting: Sized {
    /// What would do, in words.
    const EXPECTED: &'static str;

    /// As it stands in a file.
    fn to_value(&self) -> Value;

    /// Reads it; `path` is where it was found.
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting).
    fn from_value(value: &Value, path: &str) -> Result<Self>;
}

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

/// A closed set of words: `words!(Padding, "valid or same" { "valid" => Padding::Valid });`
macro_rules! words {
    ($type:ty, $expected:literal { $($word:literal => $value:path),* $(,)? }) => {
        impl crate::config::Setting for $type {
            const EXPECTED: &'static str = $expected;

            fn to_value(&self) -> crate::config::Value {
                match self {
                    $($value => $word.into(),)*
                }
            }

            fn from_value(value: &crate::config::Value, path: &str) -> crate::error::Result<Self> {
                match value {
                    $(crate::config::Value::Text(word) if word == $word => Ok($value),)*
                    _ => Err(crate::config::refuse(path, Self::EXPECTED, value)),
                }
            }
        }
    };
}
pub(crate) use words;

macro_rules! numbers {
    ($($type:ty, $expected:literal: $found:pat => $number:expr;)*) => {$(
        impl Setting for $type {
            const EXPECTED: &'static str = $expected;

            fn to_value(&self) -> Value {
                (*self).into()
            }

            fn from_value(value: &Value, path: &str) -> Result<Self> {
                let number: Option<Self> = match *value {
                    $found => $number,
                    _ => None,
                };
                number.ok_or_else(|| refuse(path, Self::EXPECTED, value))
            }
        }
    )*};
}

numbers! {
    bool, "true or false": Value::Bool(value) => Some(value);
    usize, "a whole number of at least 0": Value::Int(value) => value.try_into().ok();
    u64, "a whole number of at least 0": Value::Int(value) => value.try_into().ok();
    i64, "a whole number": Value::Int(value) => Some(value);
}

impl Setting for isize {
    const EXPECTED: &'static str = "a whole number";

    fn to_value(&self) -> Value {
        Value::Int(*self as i64)
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        i64::from_value(value, path)?.try_into().map_err(|_| refuse(path, Self::EXPECTED, value))
    }
}

impl Setting for f64 {
    const EXPECTED: &'static str = "a number";

    fn to_value(&self) -> Value {
        Value::Float(*self)
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::Float(value) => Ok(*value),
            Value::Int(value) => Ok(*value as f64),
            _ => Err(refuse(path, Self::EXPECTED, value)),
        }
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text";

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(refuse(path, Self::EXPECTED, value)),
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value, path).map(Some),
        }
    }
}

impl<T: Setting> Setting for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::List(values) => {
                let each = values.iter().enumerate();
                each.map(|(i, value)| T::from_value(value, &format!("{path}[{i}]"))).collect()
            }
            _ => Err(refuse(path, Self::EXPECTED, value)),
        }
    }
}

/// As in Keras, one number may stand for as many alike.
impl<T: Setting + Copy, const N: usize> Setting for [T; N] {
    const EXPECTED: &'static str = T::EXPECTED;

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        let values = match value {
            Value::List(_) => Vec::from_value(value, path)?,
            value => return Ok([T::from_value(value, path)?; N]),
        };
        values.try_into().map_err(|_| refuse(path, format!("{N} of {}", T::EXPECTED), value))
    }
}
