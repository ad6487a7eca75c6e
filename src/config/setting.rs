//! The types of settings: numbers, strings, lists, and the closed sets.

use super::Value;
use crate::error::{Error, FileError, Result};

/// A type that can be a setting.
///
/// # Example
/// ```
/// use cornu::config::{Setting, Value};
/// assert_eq!(<[usize; 2]>::from_value(&Value::from(vec![3, 3]), "kernel_size")?, [3, 3]);
/// assert_eq!(Some(2.5).to_value(), Value::Float(2.5));
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Setting: Sized {
    /// The expected values, in words.
    const EXPECTED: &'static str;

    /// Converts to the value in a file.
    fn to_value(&self) -> Value;

    /// Converts from the value in a file; `path` is its position.
    ///
    /// # Errors
    /// [`FileError::Setting`](crate::error::FileError::Setting).
    fn from_value(value: &Value, path: &str) -> Result<Self>;
}

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

/// Writes axes as Keras does: a single one as its number, several as a list.
pub(crate) fn axes_to_value(axes: &[isize]) -> Value {
    match axes {
        [axis] => axis.to_value(),
        axes => Value::List(axes.iter().map(isize::to_value).collect()),
    }
}

/// Reads an axis or a list of axes.
pub(crate) fn axes_from_value(value: &Value, path: &str) -> Result<Vec<isize>> {
    match value {
        Value::List(_) => Vec::from_value(value, path),
        axis => Ok(vec![isize::from_value(axis, path)?]),
    }
}

/// As in Keras, one number can stand for `N` equal ones.
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

/// Creates a [`FileError::Setting`].
pub(crate) fn refuse(path: &str, expected: impl Into<String>, found: impl std::fmt::Display) -> Error {
    FileError::Setting { path: path.into(), expected: expected.into(), found: found.to_string() }.into()
}
